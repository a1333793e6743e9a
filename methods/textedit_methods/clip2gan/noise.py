"""The noise that makes different pictures of one feature, and its three readings."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.devices import sent
from textedit_bench.errors import unknown_choice
from textedit_methods.clip2gan.card import NOISES

SIGMA = 0.6
"""Standard deviation; the published variance is 0.36."""


def add_noise(features: Tensor, kind: str, sigma: float, stream: torch.Generator) -> Tensor:
    """CLIP features with one draw of noise per row.

    The paper gives a mean of 1 and a variance of 0.36 and says "added". Taken literally a mean of 1 moves every
    coordinate by more than the feature is long, so the other readings exist.

    Args:
        features: [B, d], as CLIP gives them.
        kind: ``"multiplicative"``: f * n, n ~ N(1, sigma^2), cosine to f about 1 / sqrt(1 + sigma^2) whatever the
            length; ``"additive_literal"``: f + n, n ~ N(1, sigma^2), on the feature as it is; ``"additive_rms"``:
            f + n, n ~ N(0, (sigma rms(f))^2); ``"none"``: f.
        sigma: see there.
        stream: random numbers, on the CPU, so that every device draws the same.

    Raises:
        UserError: unknown kind.
    """
    if kind not in NOISES:
        raise unknown_choice("noise", kind, NOISES)
    if kind == "none":
        return features
    draw = sigma * sent(torch.randn(features.shape, generator=stream), features.device, features.dtype)
    if kind == "multiplicative":
        return features * (1 + draw)
    if kind == "additive_literal":
        return features + 1 + draw
    return features + draw * features.square().mean(dim=-1, keepdim=True).sqrt()


def unit(features: Tensor) -> Tensor:
    """Features of length 1, as the mapping network compares them."""
    return F.normalize(features, dim=-1)
