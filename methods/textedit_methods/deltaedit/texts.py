"""The difference of two texts in CLIP's space, each averaged over a bank of sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.models import clip_templates

if TYPE_CHECKING:
    from textedit_bench.models.clip import ClipModel


def sentences(text: str, bank: str) -> list[str]:
    """What CLIP reads for a text.

    Args:
        text: such as ``"a face with blond hair"``; its leading article is dropped where templates bring their own.
        bank: ``"imagenet"`` or ``"none"``, which is the text itself.
    """
    return [text.strip()] if bank == "none" else clip_templates.sentences(text)


@torch.no_grad()
def text_embedding(clip: ClipModel, text: str, bank: str) -> Tensor:
    """Mean [d] of the unit embeddings of a text's sentences, of unit length again."""
    return F.normalize(F.normalize(clip.encode_text(sentences(text, bank)).float(), dim=-1).mean(dim=0), dim=-1)


def text_difference(clip: ClipModel, target: str, source: str, bank: str = "imagenet") -> Tensor:
    """Target minus source [d], NOT normalised: the threshold of the relevance mask is meant for this."""
    return text_embedding(clip, target, bank) - text_embedding(clip, source, bank)
