"""``textedit-bench doctor``: show what is installed and what can run on this machine."""

from __future__ import annotations

from typing import Any

import typer

from textedit_bench.cli.options import Json
from textedit_bench.cli.output import print_json


def doctor(json: Json = False) -> None:
    """Show versions, the device, and which method can run on which data set and tier; exit 1 if a plugin is broken.

    For missing files, the output says where to get them.

    \b
    Examples:
      textedit-bench doctor
      textedit-bench doctor --json
    """
    from textedit_bench.cli.diagnosis import diagnose

    found = diagnose()
    if json:
        print_json(found)
    else:
        for title, facts in found.items():
            typer.echo(f"{title}:")
            for name, value in facts.items():
                for line in _lines(value):
                    typer.echo(f"  {name}: {line}")
            if not facts:
                typer.echo("  none")
    raise typer.Exit(1 if found["broken"] else 0)


def _lines(value: Any) -> list[str]:
    """Format a value; a mapping from methods becomes one line per distinct value."""
    if not isinstance(value, dict):
        return [str(value)]
    alike: dict[str, list[str]] = {}
    for name, fact in value.items():
        alike.setdefault(fact, []).append(name)
    return [f"{fact}: {', '.join(names)}" for fact, names in alike.items()]
