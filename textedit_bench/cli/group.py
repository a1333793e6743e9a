"""Command groups that report a misspelt command in one line with the nearest spelling, like other bad input."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from textedit_bench.errors import unknown_choice

UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""The parser's error for invalid arguments: click's class in older versions of typer, later typer's."""


class Group(TyperGroup):
    """Command group that raises `textedit_bench.errors.UserError` for an unknown command."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the named command, or raise an error that lists all."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            raise unknown_choice("command", args[0], self.commands)
        return super().resolve_command(ctx, args)


def new_app(**options: Any) -> typer.Typer:
    """Create an app with our settings: plain help that works in pipes, plain tracebacks, visible defaults."""
    return typer.Typer(cls=Group, rich_markup_mode=None, pretty_exceptions_enable=False, **options)
