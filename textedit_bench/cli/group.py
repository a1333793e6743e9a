"""Command groups that answer a misspelt command like every other bad input: one line with the nearest spelling."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from textedit_bench.errors import unknown_choice

UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""What the parser raises on words that it cannot use: click's class in older versions of typer, later typer's."""


class Group(TyperGroup):
    """A group whose unknown commands raise `textedit_bench.errors.UserError`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The named command, or an error that lists them all."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            raise unknown_choice("command", args[0], self.commands)
        return super().resolve_command(ctx, args)


def new_app(**options: Any) -> typer.Typer:
    """An app with the house's settings: plain help that survives pipes, plain tracebacks, no hidden defaults."""
    return typer.Typer(cls=Group, rich_markup_mode=None, pretty_exceptions_enable=False, **options)
