"""``textedit-bench doctor``: what is installed and what can run here."""

from __future__ import annotations

import typer

from textedit_bench.cli.options import Json
from textedit_bench.cli.output import print_json


def doctor(json: Json = False) -> None:
    """Show versions, the device, and which method can run on which data set and tier; exit 1 if a plugin is broken.

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
                typer.echo(f"  {name}: {value}")
            if not facts:
                typer.echo("  none")
    raise typer.Exit(1 if found["broken"] else 0)
