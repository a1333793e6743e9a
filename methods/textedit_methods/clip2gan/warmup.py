"""A head start for short trainings (ours): regression from CLIP features to codes, of photos or of samples."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from textedit_bench.models.storage import write_tensors
from textedit_bench.training import training_codes
from textedit_bench.training.data import stream
from textedit_methods.clip2gan.network import ClipMapping

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

LEARNING_RATE = 2e-3
BATCH_SIZE = 64
_CHUNK = 64


@torch.no_grad()
def sample_pairs(
    domain: Domain, clip: Any, clip_name: str, count: int, seed: int, folder: Path
) -> tuple[Tensor, Tensor]:
    """The generator's own samples: CLIP features of their pictures, and their codes, which no inversion has blurred.

    There are as many as one likes; a few thousand photos are learnt by heart (README).

    Returns:
        Features [count, d] and codes [count, rows, w_dim], float32 on the CPU; kept in ``folder``.
    """
    codes = training_codes(domain, "samples", count, seed, folder)
    identity = json.dumps([domain.name, domain.tier, domain.digest("generator"), clip_name, count, seed])
    name = f"{domain.name}-{domain.tier}-sample-features-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"
    path = folder / f"{name}.safetensors"
    if path.is_file():
        return load_file(path)["features"], codes
    parts = []
    for part in codes.split(_CHUNK):
        images = domain.generator.synthesize(part.to(domain.device)).clamp(-1, 1)
        parts.append(clip.encode_image(images).float().cpu())
    features = torch.cat(parts)
    write_tensors({"features": features}, path, {"dataset": domain.name, "tier": domain.tier, "clip": clip_name})
    return features, codes


def regress_codes(network: ClipMapping, features: Tensor, codes: Tensor, steps: int, seed: int) -> float:
    """Fit M(f) to the codes by mean squared error, in place.

    A step sees no picture, so it costs next to nothing; what it cannot learn is what the pictures' losses are for:
    the encoder's own errors, and everything about which CLIP says too little to fix the code.

    Args:
        network: to be trained.
        features: [M, d].
        codes: [M, rows, w_dim] of the same pictures.
        steps: of Adam, with one cycle of the learning rate.
        seed: of the batches.

    Returns:
        The loss of the last tenth of the steps.
    """
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=max(steps, 2))
    random = stream("regression to codes", seed)
    losses = []
    for _ in range(steps):
        picked = torch.randint(len(features), (BATCH_SIZE,), generator=random)
        loss = (network(features[picked]) - codes[picked]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
    last = losses[-max(1, steps // 10) :]
    return sum(last) / len(last)
