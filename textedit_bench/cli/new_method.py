"""``textedit-bench new-method``: write the package of a new method."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def new_method(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the method: lower case, digits, hyphens.")],
    kind: Annotated[
        str,
        typer.Option(
            "--kind", metavar="KIND", help="latent: edits codes; image: edits pictures; trained: has a trained network."
        ),
    ] = "latent",
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder in which the package's folder is created.")
    ] = Path(),
) -> None:
    """Write a small installable package with a working method, as a template for yours.

    \b
    Examples:
      textedit-bench new-method my-method
      textedit-bench new-method my-method --kind trained --output ~/projects
    """
    from textedit_bench.cli.options import example_dataset
    from textedit_bench.plugins import next_commands, write_skeleton

    for path in write_skeleton(name, kind, output.expanduser(), example_dataset()):
        typer.echo(path)
    folder = output.expanduser() / name
    place = folder if folder.is_absolute() else f"./{folder}"  # a bare name would be looked up in the package index
    typer.echo("\nNext: " + "\n      ".join(next_commands(name, kind, str(place), example_dataset())), err=True)
