"""``textedit-bench assets``: the files that the data sets and methods need."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from textedit_bench.cli.options import Json, new_app
from textedit_bench.cli.output import print_columns, print_json

assets = new_app(help="List, fetch and check weights and data sets, and convert official checkpoints.")


def list_(json: Json = False) -> None:
    """List every downloadable file, and every network of every data set and tier, with state and users.

    A file that is present but was neither fetched nor verified is "not checked"; "assets verify" checks it.

    \b
    Examples:
      textedit-bench assets list
      textedit-bench assets list --json
    """
    networks, known = _networks(), _assets()
    if json:
        print_json({"assets": known, "networks": networks})
        return
    rows = [
        [a["id"], _state(a), _size(a["size"]), ", ".join(a["used_by"]) or "-", a["licence"], a["title"]] for a in known
    ]
    print_columns(["ID", "STATE", "SIZE", "USED BY", "LICENCE", "WHAT"], rows)
    typer.echo()
    rows = [[n["dataset"], n["tier"], n["role"], _size(n["bytes"], "missing"), n["path"]] for n in networks]
    print_columns(["DATASET", "TIER", "ROLE", "SIZE", "PATH"], rows)


def _networks() -> list[dict[str, Any]]:
    """List every network that a card names, with its path and size."""
    from textedit_bench.assets.locate import network_path
    from textedit_bench.registry import list_datasets

    found: list[dict[str, Any]] = []
    for card in list_datasets():
        for tier, part in card.tiers.items():
            for role, named in part.networks.items():
                path = network_path(card, named)
                size = path.stat().st_size if path.is_file() else None
                row = {"dataset": card.name, "tier": tier, "role": role, "named": named, "path": str(path)}
                found.append({**row, "bytes": size})
    return found


def _assets() -> list[dict[str, Any]]:
    """List every asset with its path and the methods and cards that use it."""
    from textedit_bench.assets.accepted import is_checked
    from textedit_bench.assets.manifest import list_assets
    from textedit_bench.registry import list_datasets

    users: dict[str, list[str]] = {}
    for card in list_datasets():
        for part in card.tiers.values():
            named = [*part.networks.values(), *([part.source.asset] if part.source and part.source.asset else [])]
            for name in dict.fromkeys(named):
                users.setdefault(name, []).append(card.name)
    return [
        {
            **asset.model_dump(mode="json", exclude_none=True),
            "used_by": [*dict.fromkeys([*users.get(asset.id, []), *asset.used_by])],
            "origin": asset.origin,
            "fetchable": asset.fetchable,
            "size": asset.size,
            "path": str(asset.unpacked if asset.unpacked and not asset.path.is_file() else asset.path),
            "present": asset.present,
            "checked": asset.present and is_checked(asset),
        }
        for asset in list_assets().values()
    ]


def _state(asset: dict[str, Any]) -> str:
    if asset["present"]:
        return "present" if asset["checked"] else "not checked"
    return "missing" if asset["fetchable"] else "by hand"


def _size(count: int | None, unknown: str = "?") -> str:
    if count is None:
        return unknown
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.2f} MB"


def convert(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="Official checkpoint, in any supported format.")],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="Safetensors file to write.")],
    half: Annotated[bool, typer.Option("--half", help="Store 16-bit floats.")] = False,
) -> None:
    """Convert an official checkpoint to safetensors, without executing anything in it.

    \b
    Examples:
      textedit-bench assets convert stylegan2-ffhq-config-f.pt generator.safetensors
      textedit-bench assets convert e4e_ffhq_encode.pt encoder.safetensors --half
    """
    from textedit_bench.data.destination import check_destination
    from textedit_bench.errors import UserError

    if source.is_dir():
        from textedit_bench.models.torch_files import torch_file_kind

        torch_file_kind(source)  # says what the folder is
    if not source.is_file():
        raise UserError(f"source {source}: there is no such file")
    check_destination(target, [".safetensors"], field="target", inputs=(source,))
    from textedit_bench.models.convert import convert as convert_checkpoint

    for path in convert_checkpoint(source, target, half=half):
        typer.echo(path)
