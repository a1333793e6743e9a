"""The CLIP2GAN mapping network, from a CLIP feature of a picture or a text, with or without noise, to a W+ code.

Source: arXiv 2211.15045, which gives the number of layers, the activation after each and the sizes of input and
output; what it leaves open (slope, input scale, output offset) is ours and described in the README of this folder.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.devices import sent
from textedit_bench.models.storage import StoredNetwork
from textedit_methods.clip2gan.card import Noise

SLOPE = 0.2
"""Negative slope of the activations, that of StyleGAN2's own mapping network."""
LAST_LAYER_SCALE = 0.1
"""Factor on the last layer's initial weights: training starts near the mean picture."""


class ClipMapping(StoredNetwork):
    """Fully connected layers from a CLIP feature to the offset of a W+ code from the mean of W.

    The feature's length is taken out and its entries scaled to a mean square of 1, so that pictures' and texts'
    features, whose lengths differ, look alike.

    Args:
        feature_dim: width d of the CLIP features.
        rows: W+ rows N.
        w_dim: width of W.
        depth: fully connected layers, the last one included; 12 in the paper.
        hidden_dim: width between the layers; ``feature_dim`` where 0.
        rest_rank: number of directions that features do not determine, see `rest` and `told`; 0 in the paper.
        final_activation: an activation after the last layer too. The paper's text has one after each; it would shrink
            the negative part of the code fivefold (ours is none).

    Attributes:
        rest_basis: [rest_rank, rows * w_dim], orthogonal, each row as long as the deviation of codes along it.
        w_mean: [w_dim], what the offsets are added to.
        image_mean: [d], mean unit feature of the training pictures, for the correction of the modality gap.
    """

    w_mean: Tensor
    image_mean: Tensor
    rest_basis: Tensor

    def __init__(
        self,
        feature_dim: int,
        rows: int,
        w_dim: int,
        depth: int = 12,
        hidden_dim: int = 0,
        final_activation: bool = False,
        rest_rank: int = 0,
    ) -> None:
        super().__init__()
        if depth < 1:
            raise ValueError(f"depth {depth}: a mapping network has at least one layer")
        self.feature_dim, self.rows, self.w_dim, self.rest_rank = feature_dim, rows, w_dim, rest_rank
        self.depth, self.hidden_dim, self.final_activation = depth, hidden_dim or feature_dim, final_activation
        widths = [feature_dim, *[self.hidden_dim] * (depth - 1), rows * w_dim]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.register_buffer("w_mean", torch.zeros(w_dim))
        self.register_buffer("image_mean", torch.zeros(feature_dim))
        self.register_buffer("rest_basis", torch.zeros(rest_rank, rows * w_dim))
        self._initialise()

    @torch.no_grad()
    def _initialise(self) -> None:
        for layer in self.layers:
            nn.init.kaiming_normal_(layer.weight, a=SLOPE, nonlinearity="leaky_relu")  # type: ignore[arg-type]
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        self.layers[-1].weight.mul_(LAST_LAYER_SCALE)  # type: ignore[operator]

    def offset(self, features: Tensor, *, unit_length: bool = True) -> Tensor:
        """Compute R(f): the code minus the mean of W.

        Args:
            features: CLIP features of any length, [B, d].
            unit_length: take their length out, as in training. A sum of mean features is shorter than one feature;
                stretched to its length it would stand for a picture unlike any.

        Returns:
            [B, rows, w_dim].

        Raises:
            ValueError: features of another width.
        """
        if features.ndim != 2 or features.shape[1] != self.feature_dim:
            raise ValueError(f"this network reads features [B, {self.feature_dim}], got {tuple(features.shape)}")
        x = (F.normalize(features, dim=-1) if unit_length else features) * math.sqrt(self.feature_dim)
        last = self.depth - 1
        for i, layer in enumerate(self.layers):
            x = layer(x)
            if i < last or self.final_activation:
                x = F.leaky_relu(x, SLOPE)
        return x.unflatten(-1, (self.rows, self.w_dim))

    def rest(self, draws: Tensor) -> Tensor:
        """Map normal draws [B, rest_rank] to the residual that features do not determine, [B, rows, w_dim] (ours)."""
        return (draws @ self.rest_basis).unflatten(-1, (self.rows, self.w_dim))

    def told(self, offsets: Tensor) -> Tensor:
        """Project offsets [B, rows, w_dim] off ``rest_basis``, the directions that features do not determine."""
        directions, flat = F.normalize(self.rest_basis, dim=1), offsets.flatten(1)
        return (flat - flat @ directions.T @ directions).view_as(offsets)

    def forward(self, features: Tensor) -> Tensor:
        """Compute M(f): the W+ codes [B, rows, w_dim] of CLIP features [B, d]."""
        return self.w_mean + self.offset(features)


def unit(features: Tensor) -> Tensor:
    """Normalise features to length 1."""
    return F.normalize(features, dim=-1)


def add_noise(features: Tensor, kind: Noise, sigma: float, stream: torch.Generator) -> Tensor:
    """Add one draw of noise per row to CLIP features.

    The paper gives a mean of 1 and a variance of 0.36 and says "added". Taken literally a mean of 1 moves every
    coordinate by more than the feature is long, so the other readings exist.

    Args:
        features: [B, d], as CLIP gives them.
        kind: ``"multiplicative"``: f * n, n ~ N(1, sigma^2), cosine to f about 1 / sqrt(1 + sigma^2) whatever the
            length; ``"additive_literal"``: f + n, n ~ N(1, sigma^2), on the feature as it is; ``"additive_rms"``:
            f + n, n ~ N(0, (sigma rms(f))^2); ``"none"``: f.
        sigma: see there.
        stream: random numbers, on the CPU, so that every device draws the same.
    """
    if kind == "none":
        return features
    draw = sigma * sent(torch.randn(features.shape, generator=stream), features.device, features.dtype)
    if kind == "multiplicative":
        return features * (1 + draw)
    if kind == "additive_literal":
        return features + 1 + draw
    return features + draw * features.square().mean(dim=-1, keepdim=True).sqrt()
