"""What CLIP does not say of a picture (ours): the directions in which photos differ from what their features give.

A CLIP feature says little of which individual a picture shows. What it does not say, no text can ask for: with the
setting ``keep_rest`` a text's direction has no part along these. And as the mapping network gives all pictures of a
text one average individual, generation draws along them, as much as photos spread there.
"""

from __future__ import annotations

import torch
from torch import Tensor

from textedit_methods.clip2gan.network import ClipMapping


@torch.no_grad()
def fit_rest(network: ClipMapping, features: Tensor, codes: Tensor) -> float:
    """Fill the network's ``rest_basis`` in place.

    It holds the principal directions of codes - M(features), orthogonal, each as long as the standard deviation of the
    codes along it.

    Args:
        network: trained; with ``rest_rank`` rows to fill.
        features: [M, d].
        codes: [M, rows, w_dim] of the same photos.

    Returns:
        The share of the differences' variance that the directions hold.
    """
    rank = len(network.rest_basis)
    differences = (codes - network(features)).flatten(1).double()
    differences -= differences.mean(0)
    variances, directions = torch.linalg.eigh(differences.T @ differences / len(differences))
    kept = directions[:, -rank:]
    spread = (codes.flatten(1).double() @ kept).std(0)
    network.rest_basis.copy_(kept.T * spread[:, None])
    return float(variances[-rank:].clamp(min=0).sum() / variances.sum())
