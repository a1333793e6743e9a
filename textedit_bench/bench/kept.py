"""Decide which pictures of a cell are stored, and synthesise the others again from codes."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open

from textedit_bench.bench.cell import CellIdentity, Manifest, read_manifest
from textedit_bench.bench.pictures import Pixels, read_pictures, strength_name, to_uint8, write_pictures
from textedit_bench.bench.shards import pass_size

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

SHOWN = 12
"""Number of images of a cell whose pictures are kept by the policy ``shown``: the first ones."""
EDITS, PICTURES, DIGESTS = "edits.safetensors", "images.zip", "digests.npz"
INPUTS = "_inputs"
"""Folder of a data set's photos and inversions, next to the methods' folders."""

log = logging.getLogger(__name__)


class PicturesGoneError(Exception):
    """Pictures were not kept and cannot be synthesised again; the message is the reason."""


@dataclass(frozen=True)
class Kept:
    """Which pictures of a cell are stored.

    Attributes:
        policy: ``all``; ``shown``: the first `SHOWN` images at every strength; ``none``.
        copied: where the same pictures are already stored, so that none is stored here: ``{"inputs": "photo"}`` or
            ``{"method": name, "cell": digest}``. None if they are the cell's own.
    """

    policy: str = "all"
    copied: Mapping[str, str] | None = None

    def files(
        self, strengths: Sequence[float], everyone: Sequence[str], ids: Sequence[str], pixels: Sequence[Pixels]
    ) -> tuple[dict[str, Any], dict[str, Callable[[Path], object]]]:
        """Return the manifest's entry about the pictures, and the files to write.

        Args:
            strengths: of the cell.
            everyone: ids of all images of the cell.
            ids: those of these pictures.
            pixels: 8-bit, one [n, H, W, 3] per strength.
        """
        if self.copied is not None:
            return {"pictures": {"copied": dict(self.copied)}}, {}
        files: dict[str, Callable[[Path], object]] = {}
        first = set(everyone if self.policy == "all" else everyone[:SHOWN] if self.policy == "shown" else ())
        chosen = [i for i, name in enumerate(ids) if name in first]
        if chosen:
            names = [ids[i] for i in chosen]
            groups = {strength_name(s): group[chosen] for s, group in zip(strengths, pixels, strict=True)}
            files[PICTURES] = lambda path: write_pictures(path, groups, names, everyone)
        if self.policy != "all":
            digests = [[np.frombuffer(_digest(picture), np.uint8) for picture in group] for group in pixels]
            files[DIGESTS] = lambda path: save_arrays(path, {"digests": np.stack(digests)})
        return {"pictures": {"kept": self.policy}}, files


EVERYTHING = Kept()


class CellPictures:
    """The pictures of a stored cell.

    Args:
        path: its folder.
        manifest: its manifest.
        domain: returns the data set's domain, to synthesise pictures again from codes; None forbids that.
    """

    def __init__(self, path: Path, manifest: Manifest, domain: Callable[[], Domain] | None = None) -> None:
        self._path, self._manifest, self._domain = path, manifest, domain
        self._ids = manifest.infer.ids

    def read(self, ids: Sequence[str], strengths: Sequence[float]) -> list[Pixels]:
        """Read pictures of some images, 8-bit, one [n, H, W, 3] per strength.

        Raises:
            PicturesGoneError: they were not kept and cannot be synthesised again.
        """
        stored = self._manifest.infer.pictures
        if stored.copied is not None:
            return self._copied(stored.copied, ids, strengths)
        kept = {"all": self._ids, "shown": self._ids[:SHOWN], "none": []}[stored.kept]
        where = {name: i for i, name in enumerate(ids)}
        there = [name for name in ids if name in set(kept)]
        gone = [name for name in ids if name not in set(kept)]
        found: list[list[Pixels | None]] = [[None] * len(ids) for _ in strengths]
        if there:
            groups = [strength_name(strength) for strength in strengths]
            pictures = read_pictures(self._path / PICTURES, there, groups, self._ids)
            for row, group in zip(found, groups, strict=True):
                for name, picture in zip(there, pictures[group], strict=True):
                    row[where[name]] = picture
        if gone:
            for row, made in zip(found, self._make(gone, strengths), strict=True):
                for name, picture in zip(gone, made, strict=True):
                    row[where[name]] = picture
        return [np.stack([picture for picture in row if picture is not None]) for row in found]

    def _copied(self, copied: Mapping[str, str], ids: Sequence[str], strengths: Sequence[float]) -> list[Pixels]:
        dataset = self._path.parent.parent
        if group := copied.get("inputs"):
            where = dataset / INPUTS / self._manifest.infer.inputs / PICTURES
            if not where.is_file():
                raise PicturesGoneError(f"the photos of {dataset.name} are gone ({where})")
            pictures = read_pictures(where, ids, [group], self._ids)[group]
            return [pictures for _ in strengths]
        source = dataset / copied["method"] / copied["cell"]
        if (manifest := read_manifest(source)) is None:
            raise PicturesGoneError(f"the cell whose edits are shown is gone ({source})")
        return CellPictures(source, manifest, self._domain).read(ids, strengths)

    def _make(self, ids: Sequence[str], strengths: Sequence[float]) -> list[list[Pixels]]:
        """Synthesise pictures again, in the same batches as the first time."""
        if self._domain is None or not (self._path / EDITS).is_file():
            what = "there are no codes to make them from" if self._domain else "no networks are loaded"
            raise PicturesGoneError(f"{len(ids)} pictures of {self._path.name} were not kept, and {what}")
        domain, identity = self._domain(), CellIdentity.model_validate(self._manifest.identity)
        if domain.digest("generator") != identity.networks["generator"]:
            raise PicturesGoneError(f"{len(ids)} pictures of {self._path.name} were not kept; the generator is another")
        positions = {name: i for i, name in enumerate(self._ids)}
        size = pass_size(domain.resolution)
        with np.load(self._path / DIGESTS, allow_pickle=False) as stored:
            known = stored["digests"]
        made: list[list[Pixels]] = []
        different = 0
        for strength in strengths:
            row = identity.strengths.index(float(strength))
            batches: dict[int, Pixels] = {}
            pictures = []
            for name in ids:
                at = positions[name]
                if at // size not in batches:
                    batches = {at // size: self._synthesise(domain, row, at // size * size, size)}
                picture = batches[at // size][at % size]
                different += _digest(picture) != known[row, at].tobytes()
                pictures.append(picture)
            made.append(pictures)
        if different:
            total = len(ids) * len(strengths)
            log.warning(
                "%s: %d of %d pictures that were synthesised again differ from the original ones",
                self._path,
                different,
                total,
            )
        return made

    @torch.no_grad()
    def _synthesise(self, domain: Domain, row: int, start: int, size: int) -> Pixels:
        with safe_open(self._path / EDITS, "pt") as stored:
            codes = stored.get_slice("codes")[row, start : start + size].to(domain.device)
        make = domain.generator.synthesize if codes.ndim == 3 else domain.generator.synthesize_style
        return to_uint8(make(codes, noise="const"))


def save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write numeric arrays as an ``.npz`` to exactly this path (numpy would append its own suffix)."""
    with open(path, "wb") as handle:
        np.savez(handle, **arrays)  # type: ignore[arg-type]


def _digest(picture: Pixels) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(picture).data, digest_size=16).digest()
