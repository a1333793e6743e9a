"""Photos, inversions and reference features of one data set: computed once, shared by all its cells."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from textedit_bench.bench.cell import ImageSet
from textedit_bench.bench.environment import environment
from textedit_bench.bench.measure import Meter
from textedit_bench.bench.pictures import Pixels, read_pictures, to_images, to_uint8, write_pictures
from textedit_bench.bench.store import ResultFolder, Store
from textedit_bench.editor import Latents
from textedit_bench.metrics.images import ImageBatch
from textedit_bench.photos import NoPhotosError, Photos

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.metrics.suite import Suite
    from textedit_bench.worlds.factors import Factors

INPUTS_VERSION = 1
REFERENCE_SPLIT: Literal["train"] = "train"
REFERENCE_IMAGES = 1024
"""Real photos, apart from the edited ones, that ``fid_real`` compares with."""
REFERENCE = "reference"
"""Their features, beside those of the photos and the inversions."""
LEAST_REFERENCE = 50
"""Fewer photos from a source stand for nothing: what is compared with them gets no value. A world's card knows."""
BATCH = 24
"""Images per network pass; fixed, since results depend on it in the last digits."""


@dataclass(frozen=True)
class Inputs:
    """What every cell of a data set starts from.

    Attributes:
        images: which photos.
        ids: their names.
        photos: 8-bit [N, H, W, 3].
        inversions: the synthesised inversions, 8-bit [N, H, W, 3].
        latents: their W+ codes, with the photos as methods see them.
        factors: ground truth, or None.
        folder: where they are stored.
    """

    images: ImageSet
    ids: tuple[str, ...]
    photos: Pixels
    inversions: Pixels
    latents: Latents
    factors: Factors | None
    folder: ResultFolder


def image_set(photos: Photos, split: str) -> ImageSet:
    """Name and content of a set of photos."""
    content = hashlib.sha256("\n".join(photos.ids).encode())
    content.update(to_uint8(photos.images).tobytes())
    return ImageSet(split, len(photos.ids), content.hexdigest()[:16])


def prepare_inputs(
    store: Store, domain: Domain, images: int, split: str = "evaluation", *, fewer: bool = False
) -> Inputs:
    """Photos of a split with their inversions, from the store where they are there.

    Methods and judges see the photos as 8-bit pictures, so a stored run and a fresh one see the same.

    Args:
        images: how many of them.
        fewer: take those that can be used where some cannot.
    """
    shown = next(domain.photo_batches(split, images, images, partial=True)) if fewer else domain.photos(split, images)
    chosen = image_set(shown, split)
    photos = to_uint8(shown.images)
    folder = store.inputs(
        domain.tier,
        domain.name,
        {
            "inputs_version": INPUTS_VERSION,
            "images": asdict(chosen),
            "networks": {role: domain.digest(role) for role in ("generator", "encoder") if domain.has(role)},
            **_inversion(domain, shown),
        },
    )
    with folder.locked():
        if folder.manifest() is None:
            _invert(folder, domain, photos, shown)
        codes = load_file(folder.file("latents.safetensors"))["w_plus"].to(domain.device)
        inversions = read_pictures(folder.file("images.zip"), shown.ids, ["inversion"])["inversion"]
    latents = Latents(codes, "w+", images=to_images(photos, domain.device), ids=shown.ids)
    return Inputs(chosen, shown.ids, photos, inversions, latents, shown.factors, folder)


def _inversion(domain: Domain, photos: Photos) -> dict[str, Any]:
    """What else decides the codes, where it is not the encoder alone."""
    if photos.codes is not None:
        return {"codes": hashlib.sha256(photos.codes.float().cpu().numpy().tobytes()).hexdigest()[:16]}
    if domain.tier_card.source is not None:
        return {"inversion": domain.inverter_identity}
    return {}


def _invert(folder: ResultFolder, domain: Domain, photos: Pixels, shown: Photos) -> None:
    meter = Meter(domain.device)
    meter.start()
    codes, pictures, ids = [], [], shown.ids
    with torch.no_grad():
        for start in range(0, len(photos), BATCH):
            there = slice(start, start + BATCH)
            part = Photos(
                to_images(photos[there], domain.device),
                ids[there],
                codes=None if shown.codes is None else shown.codes[there],
            )
            with meter.timed("invert"):
                code = domain.invert(part, BATCH).codes
            with meter.timed("synthesise"):
                picture = domain.generator.synthesize(code, noise="const")
            codes.append(code.float().cpu())
            pictures.append(to_uint8(picture))
    w_plus = torch.cat(codes).contiguous()
    if not torch.isfinite(w_plus).all():
        raise ValueError(f"the encoder of {domain.name} gave codes that are not finite")
    groups = {"photo": photos, "inversion": np.concatenate(pictures)}
    folder.publish(
        "infer",
        {
            "latents.safetensors": lambda path: save_file({"w_plus": w_plus}, path),
            "images.zip": lambda path: write_pictures(path, groups, ids),
        },
        {"ids": list(ids), "cost": meter.rows(len(ids)), "environment": environment()},
    )


def prepare_features(inputs: Inputs, domain: Domain, suite: Suite, protocol: dict[str, Any]) -> None:
    """Store the set-metric features of photos, inversions and reference photos beside the inputs.

    Where there are too few reference photos there are no features of them, and no metric compares with them.

    Args:
        protocol: what the features depend on; other features than these are computed anew.
    """
    folder = inputs.folder
    with folder.locked():
        manifest = folder.manifest()
        if manifest is not None and manifest.get("score", {}).get("protocol") == protocol:
            return
        features = {
            "photo": picture_features(suite, domain, inputs.photos),
            "inversion": picture_features(suite, domain, inputs.inversions),
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
    """How many reference photos there should be to use; 0 where there are too few of them."""
    splits = {str(name): count for name, count in domain.tier_card.splits.items()}
    there = min(REFERENCE_IMAGES, splits.get(REFERENCE_SPLIT, 0))
    return there if there >= _least_reference(domain) else 0


def _least_reference(domain: Domain) -> int:
    return 1 if domain.tier_card.source is None else LEAST_REFERENCE


def _reference_features(domain: Domain, suite: Suite) -> NDArray[np.float32] | None:
    """Features of the reference photos; None where there are too few that can be used."""
    wanted = reference_images(domain)
    if not wanted:
        return None
    try:
        # Batch by batch: a thousand photos of 1024 pixels are 13 GB.
        batches = domain.photo_batches(REFERENCE_SPLIT, wanted, BATCH, partial=True)
        rows = np.concatenate([picture_features(suite, domain, to_uint8(photos.images)) for photos in batches])
    except NoPhotosError:
        return None
    return rows if len(rows) >= _least_reference(domain) else None


def picture_features(suite: Suite, domain: Domain, pixels: Pixels) -> NDArray[np.float32]:
    """Set-metric features [N, d] of pictures, in fixed batches."""
    return batch_features(suite, ImageBatch.of(to_images(pixels, domain.device), domain.device))


def batch_features(suite: Suite, batch: ImageBatch) -> NDArray[np.float32]:
    """As `picture_features`, of pictures that are ready for scoring."""
    return np.concatenate([np.asarray(suite.features(part), np.float32) for part in batch.split(BATCH)])


def save_arrays(path: Any, arrays: dict[str, NDArray[Any]]) -> None:
    """Write an ``.npz`` to exactly this path (numpy would add its own suffix)."""
    with open(path, "wb") as handle:
        np.savez(handle, allow_pickle=False, **arrays)
