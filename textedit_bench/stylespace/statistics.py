"""List the editable style channels, and compute mean and standard deviation of each over the generator's samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from textedit_bench.devices import sent

if TYPE_CHECKING:
    from textedit_bench.models.stylegan2 import Generator


def editable(generator: Generator) -> Tensor:
    """Return positions of the convolutions' channels in a style code, int64 [N]."""
    kept = torch.cat([torch.full((layer.channels,), not layer.is_rgb) for layer in generator.style_layout])
    return kept.nonzero().squeeze(1)


def editable_widths(generator: Generator) -> list[int]:
    """Return the number of channels of each convolution's style vector."""
    return [layer.channels for layer in generator.style_layout if not layer.is_rgb]


def without_rgb(generator: Generator, styles: Tensor) -> Tensor:
    """Select the convolutions' styles [B, N] of style codes [B, all]."""
    return styles[:, sent(editable(generator), styles.device)]


def with_rgb(generator: Generator, change: Tensor) -> Tensor:
    """Expand a change [B, N] of the convolutions' styles to style codes [B, all], with zeros for toRGB."""
    whole = change.new_zeros(len(change), sum(layer.channels for layer in generator.style_layout))
    whole[:, sent(editable(generator), change.device)] = change
    return whole


_CHUNK = 2000
SEED = 5  # as released; the stream of draws is not the same


@dataclass(frozen=True)
class Statistics:
    """Statistics of the editable channels.

    Attributes:
        mean: [N].
        std: [N], of the population.
    """

    mean: Tensor
    std: Tensor


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How samples are drawn; thresholds and strengths are comparable only for the same rule.

    Attributes:
        samples: how many.
        truncation: psi, towards the mean of W.
        truncated_rows: psi holds for that many first rows; 0 means all. (The released TensorFlow code truncates all,
            its PyTorch port the first 8.)
        seed: of the draws.
    """

    samples: int
    truncation: float
    truncated_rows: int = 0
    seed: int = SEED


@torch.no_grad()
def sample_styles(generator: Generator, sampling: Sampling, start: int, count: int) -> Tensor:
    """Sample style codes ``start .. start + count`` of the stream, [count, styles]; seeded by chunk."""
    device = next(generator.parameters()).device
    parts = []
    for chunk in range(start // _CHUNK, -(-(start + count) // _CHUNK)):
        stream = torch.Generator().manual_seed(sampling.seed * 1_000_003 + chunk)
        z = torch.randn(_CHUNK, generator.z_dim, generator=stream)
        low, high = max(start - chunk * _CHUNK, 0), min(start + count - chunk * _CHUNK, _CHUNK)
        codes = generator.broadcast(generator.map(sent(z[low:high], device)))
        cutoff = sampling.truncated_rows or None
        parts.append(generator.to_style(generator.truncate(codes, sampling.truncation, cutoff)))
    return torch.cat(parts)


@torch.no_grad()
def measure(generator: Generator, positions: Tensor, sampling: Sampling) -> Statistics:
    """Compute statistics of the channels at ``positions``, accumulated in float64; on the CPU."""
    total: Tensor | float = 0.0
    squares: Tensor | float = 0.0
    # Sums around the first chunk's mean, since a mean far from zero would cancel the digits of a small spread.
    centre: Tensor | None = None
    for start in range(0, sampling.samples, _CHUNK):
        count = min(_CHUNK, sampling.samples - start)
        styles = sample_styles(generator, sampling, start, count)
        values = styles.double()[:, sent(positions, styles.device)]
        centre = values.mean(0) if centre is None else centre
        total = total + (values - centre).sum(0)
        squares = squares + (values - centre).square().sum(0)
    assert isinstance(total, Tensor) and isinstance(squares, Tensor) and centre is not None
    shift = total / sampling.samples
    variance = (squares / sampling.samples - shift.square()).clamp(min=0)
    return Statistics((centre + shift).float().cpu(), variance.sqrt().float().cpu())
