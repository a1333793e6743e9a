"""Which style channel moves CLIP's image embedding in which direction: StyleCLIP's relevance matrix.

Source: StyleCLIP (arXiv 2103.17249), sec. 6.2: every channel is set to its mean plus and minus five deviations in 100
images; a row is the mean unit difference of their embeddings. DeltaEdit reuses that matrix for its mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.models.storage import write_tensors
from textedit_methods.deltaedit.batches import images_at_once
from textedit_methods.deltaedit.styles import edited_positions

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

_BATCH = 64
"""Pictures whose channels are looked at together."""


@dataclass(frozen=True)
class SweepSettings:
    """How to sweep.

    Attributes:
        images: base images.
        deviations: how far a channel is pushed, in its standard deviations.
        statistics_samples: codes that mean and deviation are taken from.
        truncation: of those codes and of the base images, in all rows.
        seed: of the codes.
    """

    images: int = 100
    deviations: float = 5.0
    statistics_samples: int = 100_000
    truncation: float = 0.7
    seed: int = 5


@torch.no_grad()
def relevance_matrix(domain: Domain, settings: SweepSettings, cache: Path | None = None) -> Tensor:
    """Unit rows [num_styles, d], float32 on the CPU; a channel without any effect has a row of zeros.

    The base images stay as they are from channel to channel. The released script forgets to restore them; its matrix
    is another one.

    Args:
        domain: generator and guiding CLIP.
        settings: how to sweep.
        cache: file in which the rows are kept layer by layer, so that a killed sweep goes on.
    """
    generator, device = domain.generator, domain.device
    base, mean, deviation = _statistics(generator, settings, device)
    rows = _finished_rows(cache)
    done = len(rows)
    positions, start = edited_positions(generator).tolist(), 0
    for entry in generator.style_layout:
        if entry.is_rgb:
            continue
        if start >= done:
            part = positions[start : start + entry.channels]
            found = _rows(domain, base, mean, deviation, part, settings.deviations)
            rows = torch.cat([rows, found]) if start else found
            if cache is not None:
                write_tensors({"rows": rows}, cache, {"kind": "relevance"})
        start += entry.channels
    return rows


def _finished_rows(cache: Path | None) -> Tensor:
    if cache is not None and cache.is_file():
        return load_file(cache)["rows"]
    return torch.empty(0)


def _statistics(generator: Any, settings: SweepSettings, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Styles of the base images [n, all], and mean and deviation of every channel [all]."""
    stream = torch.Generator().manual_seed(settings.seed)
    total = square = torch.zeros(())
    base: list[Tensor] = []
    left = settings.statistics_samples
    while left > 0:
        z = torch.randn(min(left, 1024), generator.z_dim, generator=stream)
        styles = generator.to_style(generator.map(z.to(device), settings.truncation)).double()
        if sum(map(len, base)) < settings.images:
            base.append(styles[: settings.images - sum(map(len, base))].float())
        total, square = total + styles.sum(0), square + styles.square().sum(0)
        left -= len(z)
    mean = total / settings.statistics_samples
    deviation = (square / settings.statistics_samples - mean.square()).clamp(min=0).sqrt()
    return torch.cat(base), mean.float(), deviation.float()


def _rows(
    domain: Domain, base: Tensor, mean: Tensor, deviation: Tensor, channels: list[int], deviations: float
) -> Tensor:
    """Rows of some channels, several of them per rendering pass."""
    together = max(1, _BATCH // (2 * len(base)))
    found = []
    for begin in range(0, len(channels), together):
        part = channels[begin : begin + together]
        pushed = base.repeat(2 * len(part), 1).view(len(part), 2, len(base), -1)
        for row, channel in enumerate(part):
            step = deviations * deviation[channel]
            pushed[row, 0, :, channel] = mean[channel] + step
            pushed[row, 1, :, channel] = mean[channel] - step
        at_once = images_at_once(domain.generator.resolution)
        units = torch.cat([_embed(domain, styles) for styles in pushed.flatten(0, 2).split(at_once)])
        plus, minus = units.view(len(part), 2, len(base), -1).unbind(1)
        found.append(F.normalize(F.normalize(plus - minus, dim=-1).mean(dim=1), dim=-1).cpu())
    return torch.cat(found)


def _embed(domain: Domain, styles: Tensor) -> Tensor:
    """Unit embeddings of the images as they would be stored, along CLIP's own preprocessing."""
    images = domain.generator.synthesize_style(styles)
    stored = images.add(1).mul(127.5).clamp(0, 255).round().div(127.5).sub(1)
    return F.normalize(domain.clip.encode_image(stored, preprocessing="correct").float(), dim=-1)


def relevant(relevance: Tensor, difference: Tensor, threshold: float) -> Tensor:
    """Channels whose relevance for a text difference reaches the threshold, bool [num_styles].

    Args:
        relevance: unit rows [num_styles, d].
        difference: target minus source [d], NOT normalised. In StyleCLIP's terms, whose threshold is meant for the
            unit difference, this one is ``threshold / |difference|``.
        threshold: 0.03 as released.
    """
    return (relevance @ difference).abs() >= threshold
