"""Channel relevance from gradients, without the sweep.

The sweep's row of a channel is the mean direction in which CLIP's unit embedding moves with it. A short way gives the
derivative J_c instead; its product with a text direction for ALL channels is one vector-Jacobian product, and random
probes v give its length, since the mean of <J_c, v>^2 over standard normal v is |J_c|^2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.devices import sent
from textedit_bench.stylespace.channels import editable
from textedit_bench.stylespace.statistics import Sampling, measure, sample_styles

if TYPE_CHECKING:
    from textedit_bench.models.clip import ClipModel
    from textedit_bench.models.stylegan2 import Generator

PROBE_SEED = 11
_PIXELS_AT_ONCE = 1 << 15
"""Pixels whose graph is kept for all probes; eight pictures of 64 pixels, one of 256 or more."""


def probes(count: int, dim: int) -> Tensor:
    """Random orthogonal probes [p, d], scaled so that the mean of squared products estimates a squared length.

    With as many probes as dimensions the estimate is exact; orthogonal ones estimate better than independent ones.
    """
    count = min(count, dim)
    stream = torch.Generator().manual_seed(PROBE_SEED)
    basis, _ = torch.linalg.qr(torch.randn(dim, count, generator=stream, dtype=torch.float64))
    return (basis.T * dim**0.5).float()


def products(generator: Generator, clip: ClipModel, styles: Tensor, vectors: Tensor) -> Tensor:
    """<J_c, v> of every editable channel c and vector v at each image, [n, N, p].

    Args:
        styles: where the derivative is taken, [n, styles].
        vectors: [p, d] in CLIP's space.
    """
    positions = sent(editable(generator), styles.device)
    found = []
    with torch.inference_mode(False), torch.enable_grad():
        codes = styles.detach().clone().requires_grad_(True)
        images = generator.synthesize_style(codes, noise="const")
        unit = F.normalize(clip.encode_image(images, preprocessing="correct"), dim=-1)
        for vector in vectors:
            (gradient,) = torch.autograd.grad((unit @ vector).sum(), [codes], retain_graph=True)
            found.append(gradient[:, positions])
    return torch.stack(found, dim=-1)


class GradientRelevance:
    """Estimates, for any text direction, what the sweep's rows would give.

    Args:
        generator, clip: frozen.
        sampling: of the statistics and the base images, as for the sweep.
        images: base images.
        probe_count: random probes for the lengths.
    """

    def __init__(
        self, generator: Generator, clip: ClipModel, sampling: Sampling, *, images: int, probe_count: int
    ) -> None:
        self._generator, self._clip = generator, clip
        self.statistics = measure(generator, editable(generator), sampling)
        self._points = sample_styles(generator, sampling, 0, images)
        vectors = probes(probe_count, clip.embed_dim)
        sketch = self._products(vectors)
        self._lengths = sketch.square().mean(-1).sqrt()  # [n, N]
        self._mean_length = self._unit_mean(sketch).square().mean(-1).sqrt()  # [N]

    def _products(self, vectors: Tensor) -> Tensor:
        vectors = sent(vectors, self._points.device, self._points.dtype)
        at_once = max(1, _PIXELS_AT_ONCE // self._generator.resolution**2)
        parts = self._points.split(at_once)
        return torch.cat([products(self._generator, self._clip, part, vectors) for part in parts])

    def _unit_mean(self, values: Tensor) -> Tensor:
        """Mean over the images of products with unit derivatives; an image where a channel does nothing counts as 0."""
        lengths = self._lengths.unsqueeze(-1)
        return torch.where(lengths > 0, values / lengths, torch.zeros_like(values)).mean(0)

    def projection(self, direction: Tensor) -> Tensor:
        """Relevance of each channel to a unit direction [d]: [N], about in [-1, 1]."""
        products_ = self._unit_mean(self._products(direction.unsqueeze(0)))[:, 0]
        lengths = self._mean_length
        return torch.where(lengths > 0, products_ / lengths, torch.zeros_like(products_))
