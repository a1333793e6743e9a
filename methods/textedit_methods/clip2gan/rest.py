"""What CLIP does not say of a picture (ours): how the codes of photos spread around those that their features give.

A CLIP feature says little of which individual a picture shows, so the mapping network gives all pictures of a text one
average individual. The published noise moves the feature, and the attributes with it. Here the feature stays and the
code is drawn: the differences between the photos' inverted codes and M(f) have a covariance, of which the largest
directions are kept.
"""

from __future__ import annotations

import torch
from torch import Tensor

from textedit_methods.clip2gan.network import ClipMapping


@torch.no_grad()
def fit_rest(network: ClipMapping, features: Tensor, codes: Tensor) -> float:
    """Fill the network's ``rest_basis`` with the principal directions of codes - M(features), in place.

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
    kept = variances[-rank:].clamp(min=0)
    network.rest_basis.copy_(directions[:, -rank:].T * kept.sqrt()[:, None])
    return float(kept.sum() / variances.sum())
