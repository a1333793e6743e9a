"""Provide training codes of editors: inverted photos of the training split, or samples of the generator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from textedit_bench.devices import sent
from textedit_bench.errors import UserError, unknown_choice
from textedit_bench.models.stylegan2 import images_at_once
from textedit_bench.training.kept import kept, kept_path

if TYPE_CHECKING:
    from textedit_bench.domain import Domain, Photos

SOURCES = ("photos", "samples")
_CHUNK = 64
"""Draws at a time; the stream depends on it."""


def training_codes(
    domain: Domain, source: str = "photos", count: int = 0, seed: int = 0, cache: str | Path | None = None
) -> Tensor:
    """Return W+ codes of the training split, computed once and cached.

    Args:
        domain: whose photos, inverter and generator to use.
        source: ``"photos"`` (inverted once) or ``"samples"`` (of the generator, untruncated).
        count: how many; 0 means every photo of the split.
        seed: of the samples.
        cache: folder to keep them in, under a name made of the networks' digests.

    Returns:
        [count, rows, w_dim] float32 on the CPU.

    Raises:
        UserError: unknown source, more photos than there are, or samples without a count.
    """
    if source not in SOURCES:
        raise unknown_choice("source of training codes", source, SOURCES)
    if source == "samples" and count <= 0:
        raise UserError("num_codes: the number of samples of the generator is required")
    if source == "photos":
        count = photo_count(domain, count, "num_codes")

    def make() -> dict[str, Tensor]:
        parts = _inverted(domain, count) if source == "photos" else sampled_codes(domain, count, seed)
        return {"codes": torch.cat(list(parts)).cpu()}

    if cache is None:
        return make()["codes"]
    return kept(_file(Path(cache), domain, source, count, seed), make)["codes"]


def photo_count(domain: Domain, asked: int, setting: str) -> int:
    """Return the number of training photos for a setting; 0 means all.

    Raises:
        UserError: more than there are, or there are none.
    """
    available = {str(name): number for name, number in domain.tier_card.splits.items()}.get("train", 0)
    if asked > available or available == 0:
        raise UserError(f"{setting}: {asked or 'all'} asked, split train of {domain.name} has {available} photos")
    return asked or available


def train_photos(domain: Domain, count: int) -> Iterator[Photos]:
    """Iterate over the first training photos, as many at a time as memory allows."""
    at_once = images_at_once(domain.resolution)
    for start in range(0, count, at_once):
        yield domain.photos("train", min(at_once, count - start), start)


def inverted_by(domain: Domain) -> dict[str, Any]:
    """Return further inputs of the inversion besides networks: ``{"inversion": settings}`` without an encoder.

    For the identity of a training, so that other settings of the inversion do not go on from its checkpoints.
    """
    return {} if domain.has("encoder") else {"inversion": dict(domain.tier_card.inversion)}


def _file(cache: Path, domain: Domain, source: str, count: int, seed: int) -> Path:
    roles = ["generator"] + (["encoder"] if source == "photos" and domain.has("encoder") else [])
    digests: list[object] = [domain.digest(role) for role in roles]
    if source == "photos":
        digests += inverted_by(domain).values()
    return kept_path(cache, domain, source, count, seed if source == "samples" else None, digests)


@torch.no_grad()
def _inverted(domain: Domain, count: int) -> Iterator[Tensor]:
    for photos in train_photos(domain, count):
        yield domain.invert(photos).codes.float()


@torch.no_grad()
def sampled_codes(domain: Domain, count: int, seed: int) -> Iterator[Tensor]:
    """Iterate over W+ codes of untruncated samples, [up to 64, rows, w_dim], on the domain's device."""
    for w in w_samples(domain, count, _CHUNK, seed):
        yield domain.generator.broadcast(w).contiguous()


@torch.no_grad()
def w_samples(domain: Domain, count: int, chunk: int, seed: int) -> Iterator[Tensor]:
    """Iterate over untruncated samples of W, [up to ``chunk``, w_dim] float32, on the domain's device.

    The draws depend on ``chunk`` too.
    """
    generator, stream = domain.generator, torch.Generator().manual_seed(seed)
    for start in range(0, count, chunk):
        z = torch.randn(min(chunk, count - start), generator.z_dim, generator=stream)
        yield generator.map(sent(z, domain.device)).float()
