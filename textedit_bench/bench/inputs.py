"""Prepare photos, inversions and reference features of one data set: computed once, shared by all its cells."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import load_file

from textedit_bench.bench.cell import ImageSet
from textedit_bench.bench.kept import PICTURES, save_arrays
from textedit_bench.bench.machine import Meter, environment
from textedit_bench.bench.pictures import Pixels, read_pictures, to_images, to_uint8, write_pictures
from textedit_bench.bench.shards import Shard, join_pictures, pass_size, write_tensor
from textedit_bench.bench.store import ResultFolder, Store
from textedit_bench.editor import Latents
from textedit_bench.metrics.images import ImageBatch
from textedit_bench.models.storage import save_tensors
from textedit_bench.photos import NoPhotosError, Photos

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.metrics.suite import Suite
    from textedit_bench.worlds.world import Factors

INPUTS_VERSION = 1
REFERENCE_SPLIT: Literal["train"] = "train"
REFERENCE_IMAGES = 1024
"""Number of real photos, none of them edited, that are the reference of ``fid_real``."""
REFERENCE = "reference"
"""Name of their features, which are stored with those of the photos and the inversions."""
LEAST_REFERENCE = 50
"""Fewer photos from a source are not representative, so metrics that compare with them have no value."""
PHOTO, INVERSION = "photo", "inversion"
CODES = "latents.safetensors"
PASSES = "passes"
"""Folder of intermediate results during the inversion of photos."""


@dataclass(frozen=True)
class InputShard:
    """The inputs of cells for some photos of a data set, in memory.

    Attributes:
        start: position of the first one.
        ids: their names.
        photos: 8-bit [n, H, W, 3].
        inversions: the synthesised inversions, 8-bit [n, H, W, 3].
        latents: their W+ codes on the domain's device, with the photos as given to methods.
        factors: ground truth, or None.
    """

    start: int
    ids: tuple[str, ...]
    photos: Pixels
    inversions: Pixels
    latents: Latents
    factors: Factors | None

    def passes(self, size: int) -> Iterator[InputShard]:
        """Split the photos into parts of at most ``size``."""
        for start in range(0, len(self.ids), size):
            there = slice(start, start + size)
            yield InputShard(
                self.start + start,
                self.ids[there],
                self.photos[there],
                self.inversions[there],
                self.latents[there],
                None if self.factors is None else self.factors[there],
            )


@dataclass
class Inputs:
    """The inputs of every cell of a data set; pictures and codes stay on disk until a shard is loaded.

    Attributes:
        images: which photos.
        ids: their names.
        factors: ground truth of all of them, or None.
        folder: where they are stored.
        device: device of loaded shards.
        positions: their positions among the stored photos; None if they are all of them.
    """

    images: ImageSet
    ids: tuple[str, ...]
    factors: Factors | None
    folder: ResultFolder
    device: torch.device
    positions: tuple[int, ...] | None = None

    def deal(self, photos: Mapping[str, Sequence[int]]) -> dict[str, Inputs]:
        """Split into inputs per prompt.

        Args:
            photos: prompt id -> ascending positions.
        """
        whole = [self.images.digest, *(f"{prompt} {_text(photos[prompt])}" for prompt in sorted(photos))]
        return {prompt: self._choose(there, _digest("\n".join(whole))) for prompt, there in photos.items()}

    def _choose(self, positions: Sequence[int], pool: str) -> Inputs:
        digest = _digest(f"{self.images.digest} {_text(positions)}")
        return replace(
            self,
            images=ImageSet(self.images.split, len(positions), digest, pool),
            ids=tuple(self.ids[i] for i in positions),
            factors=None if self.factors is None else self.factors[list(positions)],
            positions=tuple(positions),
        )

    def load(self, shard: Shard) -> InputShard:
        """Load some of the photos with their codes."""
        there = slice(shard.start, shard.stop)
        ids = self.ids[there]
        # Only photos of worlds are chosen per prompt; their names are valid file names.
        pictures = read_pictures(self.folder.file(PICTURES), ids, [PHOTO, INVERSION], self.ids)
        with safe_open(self.folder.file(CODES), "pt") as stored:
            rows = stored.get_slice("w_plus")
            chosen = self.positions
            codes = rows[there] if chosen is None else torch.cat([rows[i : i + 1] for i in chosen[there]])
        return InputShard(
            shard.start,
            ids,
            pictures[PHOTO],
            pictures[INVERSION],
            Latents(codes.to(self.device), "w+", images=to_images(pictures[PHOTO], self.device), ids=ids),
            None if self.factors is None else self.factors[there],
        )

    def pictures(self, group: str, size: int) -> Iterator[Pixels]:
        """Read all photos or all inversions, 8-bit, at most ``size`` at a time."""
        for start in range(0, len(self.ids), size):
            ids = self.ids[start : start + size]
            yield read_pictures(self.folder.file(PICTURES), ids, [group], self.ids)[group]


def _text(positions: Sequence[int]) -> str:
    return " ".join(map(str, positions))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class _Split:
    """The first photos of a split, one network pass at a time.

    They can be iterated again; if they fit into one network pass, they stay in memory.

    Args:
        fewer: take those that can be used where some cannot.
    """

    def __init__(self, domain: Domain, split: str, images: int, *, fewer: bool) -> None:
        self._domain, self._split, self._images, self._fewer = domain, split, images, fewer
        self._size = pass_size(domain.resolution)
        self._kept = list(self._read()) if images <= self._size else None

    def __iter__(self) -> Iterator[Photos]:
        return self._read() if self._kept is None else iter(self._kept)

    def _read(self) -> Iterator[Photos]:
        if self._fewer:
            yield from self._domain.photo_batches(self._split, self._images, self._size, partial=True)
            return
        for start in range(0, self._images, self._size):
            yield self._domain.photos(self._split, min(self._size, self._images - start), start)


def prepare_inputs(
    store: Store, domain: Domain, images: int, split: str = "evaluation", *, fewer: bool = False
) -> Inputs:
    """Load the photos of a split with their inversions, from the store if present, else compute and store them.

    Methods and evaluation networks get the photos as 8-bit pictures, so stored and new inputs are the same.

    Args:
        store: where they are kept.
        domain: the data set.
        images: how many of them.
        split: of which split.
        fewer: take those that can be used where some cannot.
    """
    shown = _Split(domain, split, images, fewer=fewer)
    drawn = [(part.ids, part.factors) for part in shown]
    ids = tuple(name for names, _ in drawn for name in names)
    content, codes = hashlib.sha256("\n".join(ids).encode()), hashlib.sha256()
    for part in shown:
        content.update(to_uint8(part.images).tobytes())
        if part.codes is not None:
            codes.update(part.codes.float().cpu().numpy().tobytes())
    chosen = ImageSet(split, len(ids), content.hexdigest()[:16])
    given = {"codes": codes.hexdigest()[:16]} if part.codes is not None else _inversion(domain)
    folder = store.inputs(
        domain.tier,
        domain.name,
        {
            "inputs_version": INPUTS_VERSION,
            "images": asdict(chosen),
            "networks": {role: domain.digest(role) for role in ("generator", "encoder") if domain.has(role)},
            **given,
        },
    )
    with folder.locked():
        if folder.manifest() is None:
            _invert(folder, domain, shown, ids)
    return Inputs(chosen, ids, _joined([factors for _, factors in drawn]), folder, domain.device)


def _joined(parts: list[Factors | None]) -> Factors | None:
    from textedit_bench.worlds.world import concatenate

    known = [part for part in parts if part is not None]
    return concatenate(known) if len(known) == len(parts) else None


def _inversion(domain: Domain) -> dict[str, Any]:
    """Describe everything but the encoder's weights that determines the codes."""
    return {"inversion": domain.inverter_identity} if domain.tier_card.source is not None else {}


def _invert(folder: ResultFolder, domain: Domain, shown: _Split, ids: tuple[str, ...]) -> None:
    meter = Meter(domain.device)
    meter.start()
    size = pass_size(domain.resolution)
    temporary = folder.path / PASSES
    shutil.rmtree(temporary, ignore_errors=True)  # of a run that was stopped
    temporary.mkdir()
    with torch.no_grad():
        parts: list[Path] = []
        shape: tuple[int, ...] = ()
        for number, part in enumerate(shown):
            photos = to_uint8(part.images)
            seen = Photos(to_images(photos, domain.device), part.ids, codes=part.codes)
            with meter.timed("invert"):
                code = domain.invert(seen, size).codes
            with meter.timed("synthesise"):
                picture = domain.generator.synthesize(code, noise="const")
            if not torch.isfinite(code).all():
                raise ValueError(f"the encoder of {domain.name} returned codes that are not finite")
            shape = tuple(code.shape[1:])
            parts.append(temporary / str(number))
            save_tensors({"w_plus": code.float().cpu().contiguous()}, parts[-1].with_suffix(".safetensors"))
            groups = {PHOTO: photos, INVERSION: to_uint8(picture)}
            write_pictures(parts[-1].with_suffix(".zip"), groups, part.ids, ids)

        def codes() -> Iterator[torch.Tensor]:
            for part in parts:
                yield load_file(part.with_suffix(".safetensors"))["w_plus"]

        zips = [part.with_suffix(".zip") for part in parts]
        folder.publish(
            "infer",
            {
                CODES: lambda path: write_tensor(path, "w_plus", [len(ids), *shape], codes()),
                PICTURES: lambda path: join_pictures(path, zips, [PHOTO, INVERSION]),
            },
            {"ids": list(ids), "cost": meter.rows(len(ids)), "environment": environment()},
        )
    shutil.rmtree(temporary)


def prepare_features(inputs: Inputs, domain: Domain, suite: Suite, protocol: dict[str, Any]) -> None:
    """Store the set-metric features of photos, inversions and reference photos with the inputs.

    With too few reference photos there are no features of them, and metrics that compare with them are omitted.

    Args:
        protocol: protocol of the features; stored features of another protocol are computed again.
    """
    folder = inputs.folder
    with folder.locked():
        manifest = folder.manifest()
        if manifest is not None and manifest.score is not None and manifest.score.protocol == protocol:
            return
        size = pass_size(domain.resolution)
        features = {
            name: np.concatenate([picture_features(suite, domain, part) for part in inputs.pictures(name, size)])
            for name in (PHOTO, INVERSION)
        }
        reference = _reference_features(domain, suite)
        if reference is not None:
            features[REFERENCE] = reference
        folder.publish(
            "score",
            {"features.npz": lambda path: save_arrays(path, features)},
            {"protocol": protocol, "environment": environment()},
        )


def reference_images(domain: Domain) -> int:
    """Return the number of reference photos to use; 0 if there are too few."""
    splits = {str(name): count for name, count in domain.tier_card.splits.items()}
    there = min(REFERENCE_IMAGES, splits.get(REFERENCE_SPLIT, 0))
    return there if there >= _least_reference(domain) else 0


def _least_reference(domain: Domain) -> int:
    return 1 if domain.tier_card.source is None else LEAST_REFERENCE


def _reference_features(domain: Domain, suite: Suite) -> NDArray[np.float32] | None:
    """Compute the features of the reference photos; None if too few can be used."""
    wanted = reference_images(domain)
    if not wanted:
        return None
    try:
        batches = domain.photo_batches(REFERENCE_SPLIT, wanted, pass_size(domain.resolution), partial=True)
        rows = np.concatenate([picture_features(suite, domain, to_uint8(photos.images)) for photos in batches])
    except NoPhotosError:
        return None
    return rows if len(rows) >= _least_reference(domain) else None


def picture_features(suite: Suite, domain: Domain, pixels: Pixels) -> NDArray[np.float32]:
    """Compute set-metric features [N, d] of pictures, in fixed batches."""
    size = pass_size(domain.resolution)
    parts = (pixels[start : start + size] for start in range(0, len(pixels), size))
    return np.concatenate([batch_features(suite, ImageBatch.of_pixels(part, domain.device), size) for part in parts])


def batch_features(suite: Suite, batch: ImageBatch, size: int) -> NDArray[np.float32]:
    """Like `picture_features`, for an `ImageBatch`, ``size`` per pass."""
    return np.concatenate([np.asarray(suite.features(part), np.float32) for part in batch.split(size)])
