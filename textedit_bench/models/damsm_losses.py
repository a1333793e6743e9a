"""How well pictures and texts match by DAMSM's encoders, and the losses that encoders and generators are trained by.

Source: Xu et al. 2018 (arXiv 1711.10485), eq. 7-13, as in the published code, which has no power of 1 / gamma2 in front
of the logarithm of eq. 10. Nothing here is trained by them: they say whether released encoders and a vocabulary belong
together.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

ATTENTION, WORDS, MATCH = 4.0, 5.0, 10.0
"""The published gamma1, gamma2 and gamma3."""


def word_similarity(regions: Tensor, words: Tensor, hidden: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Compare every picture with every text, word by word.

    Args:
        regions: of the pictures, [I, D, H, W].
        words: of the texts, [J, D, T].
        hidden: bool [J, T], True where a word is padding; None for none.

    Returns:
        Similarities [I, J], and the attention of every word over the regions, [I, J, T, H, W]; that of padding means
        nothing.
    """
    places = regions.flatten(2)
    scores = torch.einsum("idp,jdt->ijtp", places, words)
    padding = torch.zeros(words.shape[0], words.shape[2], dtype=torch.bool) if hidden is None else hidden
    padding = padding.to(words.device)[None, :, :]
    shares = scores.masked_fill(padding[..., None], -torch.inf).softmax(2)
    attention = (ATTENTION * shares).softmax(3)
    attended = torch.einsum("idp,ijtp->ijdt", places, attention)
    cosines = F.cosine_similarity(attended, words[None], dim=2)
    found = (WORDS * cosines).masked_fill(padding, -torch.inf).logsumexp(2)
    return found, attention.unflatten(3, regions.shape[2:])


def sentence_similarity(codes: Tensor, sentences: Tensor) -> Tensor:
    """Compare codes of pictures [I, D] with sentences [J, D] -> cosines [I, J]."""
    return F.cosine_similarity(codes[:, None], sentences[None], dim=2)


def matching_losses(similarity: Tensor, classes: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Compute the cross entropies of finding the text of each picture, and the picture of each text.

    Args:
        similarity: of picture i and text j, [B, B]; those of one item lie on the diagonal.
        classes: of the items, [B]; pairs of two items of one class do not count. None: every item is its own class.
    """
    logits = MATCH * similarity
    own = torch.arange(len(logits), device=logits.device)
    if classes is not None:
        alike = (classes[:, None] == classes) & (own[:, None] != own)
        logits = logits.masked_fill(alike, -torch.inf)
    return F.cross_entropy(logits, own), F.cross_entropy(logits.T, own)


def condition_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Compute the divergence of conditions from standard normals, a mean over batch and dimensions."""
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).mean()
