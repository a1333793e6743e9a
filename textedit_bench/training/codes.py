"""Codes that editors are trained on: inverted photos of the training split, or samples of the generator."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from textedit_bench.devices import sent
from textedit_bench.errors import UserError, unknown_choice
from textedit_bench.models.batches import images_at_once
from textedit_bench.training.kept import kept

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

SOURCES = ("photos", "samples")
_CHUNK = 64
"""Draws at a time; the stream depends on it."""


def training_codes(
    domain: Domain, source: str = "photos", count: int = 0, seed: int = 0, cache: str | Path | None = None
) -> Tensor:
    """W+ codes of the training split, computed once and kept.

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
    available = {str(name): number for name, number in domain.tier_card.splits.items()}.get("train", 0)
    if source == "samples" and count <= 0:
        raise UserError("num_codes: samples of the generator have no natural number; give one")
    if source == "photos":
        if count > available or available == 0:
            raise UserError(f"num_codes: {count or 'all'} asked, split train of {domain.name} has {available} photos")
        count = count or available

    def make() -> dict[str, Tensor]:
        return {"codes": _invert(domain, count) if source == "photos" else _sample(domain, count, seed)}

    if cache is None:
        return make()["codes"]
    file = Path(cache) / f"{_name(domain, source, count, seed)}.safetensors"
    return kept(file, make, {"source": source, "dataset": domain.name, "tier": domain.tier})["codes"]


def inverted_by(domain: Domain) -> dict[str, Any]:
    """What codes of photos depend on besides the networks: ``{"inversion": settings}`` where no encoder makes them.

    For the identity of a training, so that other settings of the inversion do not go on from its checkpoints.
    """
    return {} if domain.has("encoder") else {"inversion": dict(domain.tier_card.inversion)}


def _name(domain: Domain, source: str, count: int, seed: int) -> str:
    roles = ["generator"] + (["encoder"] if source == "photos" and domain.has("encoder") else [])
    digests: list[object] = [domain.digest(role) for role in roles]
    if source == "photos":
        digests += inverted_by(domain).values()
    identity = json.dumps([domain.name, domain.tier, source, count, seed if source == "samples" else None, digests])
    return f"{domain.name}-{domain.tier}-{source}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"


@torch.no_grad()
def _invert(domain: Domain, count: int) -> Tensor:
    parts = []
    at_once = images_at_once(domain.resolution)
    for start in range(0, count, at_once):
        photos = domain.photos("train", min(at_once, count - start), start)
        parts.append(domain.invert(photos).codes.float())
    return torch.cat(parts).cpu()


@torch.no_grad()
def _sample(domain: Domain, count: int, seed: int) -> Tensor:
    generator = domain.generator
    stream = torch.Generator().manual_seed(seed)
    parts = []
    for start in range(0, count, _CHUNK):
        z = torch.randn(min(_CHUNK, count - start), generator.z_dim, generator=stream)
        w = generator.map(sent(z, domain.device))
        parts.append(w.unsqueeze(1).repeat(1, generator.num_rows, 1).float())
    return torch.cat(parts).cpu()
