"""Writes the files that a data set's card and the methods ask for, where fetched ones would lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path

from textedit_bench.assets.manifest import get_asset
from textedit_bench.data.card import DatasetCard
from textedit_bench.errors import UserError
from textedit_bench.files import write_atomically
from textedit_workshop.rehearsal.layouts.clip import write_open_clip_l14, write_openai_clip
from textedit_workshop.rehearsal.layouts.irse import write_arcface, write_e4e
from textedit_workshop.rehearsal.layouts.judges import (
    write_alexnet,
    write_curricularface,
    write_dinov2,
    write_inception,
    write_moco,
    write_parsenet,
)
from textedit_workshop.rehearsal.layouts.stylegan2 import write_rosinality
from textedit_workshop.rehearsal.layouts.tensorflow import write_tensorflow
from textedit_workshop.rehearsal.part import Part, Writer
from textedit_workshop.rehearsal.sizes import Sizes

_LAYOUTS: dict[str, Writer] = {
    "sg2-*-ros": write_rosinality,
    "sg2-*-tf": write_tensorflow,
    "arcface": write_arcface,
    "clip-b32": write_openai_clip,
    "clip-l14-datacomp": write_open_clip_l14,
    "moco": write_moco,
    "parsenet": write_parsenet,
    "curricular": write_curricularface,
    "dinov2-b14": write_dinov2,
    "lpips-alex": write_alexnet,
    "inception-fid": write_inception,
}
"""Asset id, as a pattern -> what writes the file."""


def write_files(card: DatasetCard, sizes: Sizes, parts: Mapping[str, Part]) -> Iterator[Path]:
    """Write every file of the full tier of a data set that is not there yet, and give its path when it is.

    Raises:
        UserError: the card names an asset of which no layout is known.
    """
    writers = {asset: _writer(asset, card.name) for asset in sorted(set(card.tier("full").networks.values()))}
    for part in parts.values():
        writers |= part.released.get(card.name, {})
    for asset, write in writers.items():
        path = get_asset(asset).path
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, write, sizes, asset)
        yield path


def _write(path: Path, write: Writer, sizes: Sizes, asset: str) -> None:
    write_atomically(path, lambda temporary: write(temporary, sizes, asset), durable=False)


def remove_files(done: DatasetCard, later: Iterable[DatasetCard], parts: Mapping[str, Part], home: Path) -> None:
    """Remove the files below ``home`` that no later data set needs."""
    needed = {asset for card in later for asset in card.tier("full").networks.values()}
    released = {asset for part in parts.values() for asset in part.released.get(done.name, {})}
    for asset in ({*done.tier("full").networks.values()} | released) - needed:
        (home / "assets" / asset / get_asset(asset).file).unlink(missing_ok=True)


def _writer(asset: str, dataset: str) -> Writer:
    if asset.startswith("e4e-"):
        return lambda path, sizes, salt: write_e4e(path, sizes, salt, dataset)
    for pattern, write in _LAYOUTS.items():
        if fnmatch(asset, pattern):
            return write
    raise UserError(f"rehearsal: no layout of asset {asset!r} is known; valid: e4e-*, {', '.join(_LAYOUTS)}")
