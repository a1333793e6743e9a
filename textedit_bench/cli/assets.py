"""``textedit-bench assets``: the weights that the data sets need."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from textedit_bench.cli.group import new_app
from textedit_bench.cli.options import Json
from textedit_bench.cli.output import print_columns, print_json

assets = new_app(help="List the weights that the data sets need, and convert official checkpoints.")


def list_(json: Json = False) -> None:
    """List every network of every data set and tier, and whether its file is there.

    \b
    Examples:
      textedit-bench assets list
      textedit-bench assets list --json
    """
    from textedit_bench.registry import list_datasets

    found: list[dict[str, Any]] = []
    for card in list_datasets():
        base = card.path.parent if card.path else Path()
        for tier, part in card.tiers.items():
            for role, where in part.networks.items():
                path = base / where
                size = path.stat().st_size if path.is_file() else None
                found.append({"dataset": card.name, "tier": tier, "role": role, "path": str(path), "bytes": size})
    if json:
        print_json(found)
        return
    rows = [[asset["dataset"], asset["tier"], asset["role"], _size(asset["bytes"]), asset["path"]] for asset in found]
    print_columns(["DATASET", "TIER", "ROLE", "SIZE", "PATH"], rows)


def _size(count: int | None) -> str:
    return "missing" if count is None else f"{count / 1e6:.2f} MB"


def convert(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="Official checkpoint, in any format that is read.")],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="Safetensors file to write.")],
    half: Annotated[bool, typer.Option("--half", help="Store 16-bit numbers.")] = False,
) -> None:
    """Convert an official checkpoint to safetensors, without executing anything in it.

    \b
    Examples:
      textedit-bench assets convert stylegan2-ffhq-config-f.pt generator.safetensors
      textedit-bench assets convert e4e_ffhq_encode.pt encoder.safetensors --half
    """
    from textedit_bench.data.destination import check_destination
    from textedit_bench.errors import UserError

    if not source.is_file():
        raise UserError(f"source {source}: there is no such file")
    check_destination(target, [".safetensors"])
    from textedit_bench.models.convert import convert as convert_checkpoint

    for path in convert_checkpoint(source, target, half=half):
        typer.echo(path)
