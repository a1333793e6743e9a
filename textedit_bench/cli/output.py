"""Print plain columns and JSON on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from textedit_bench.registry import BrokenPlugin


def print_json(value: Any) -> None:
    """Print one indented JSON document; characters that stdout's encoding lacks are escaped as in JSON."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2, default=str)
    typer.echo(text)


def print_columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print left-aligned columns under a header; nothing is truncated, so that the lines can be searched."""
    widths = [max(len(line[i]) for line in [header, *rows]) for i in range(len(header))]
    for line in [header, *rows]:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def print_broken(plugins: Sequence[BrokenPlugin]) -> None:
    """Print one line for each broken plugin, after the list of working ones."""
    for plugin in plugins:
        typer.echo(f"{plugin.name}  broken: {plugin.reason} [{plugin.origin}]")
