"""The difference of two texts in CLIP's space, each averaged over a bank of sentences."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

# The released code leaves this one of CLIP's 80 ImageNet templates out and keeps the order of the others.
_LEFT_OUT = "a photo of many {}."
_ARTICLE = re.compile(r"^(?:an?|the)\s+", re.IGNORECASE)


@cache
def imagenet_templates() -> tuple[str, ...]:
    """The 79 templates, each with one ``{}``."""
    from open_clip import OPENAI_IMAGENET_TEMPLATES  # takes long to import

    return tuple(text for text in (make("{}") for make in OPENAI_IMAGENET_TEMPLATES) if text != _LEFT_OUT)


def sentences(text: str, bank: str) -> list[str]:
    """What CLIP reads for a text.

    Args:
        text: such as ``"a face with blond hair"``; its leading article is dropped where templates bring their own.
        bank: ``"imagenet"`` or ``"none"``, which is the text itself.
    """
    if bank == "none":
        return [text.strip()]
    bare = _ARTICLE.sub("", text.strip())
    return [template.replace("{}", bare) for template in imagenet_templates()]


@torch.no_grad()
def text_embedding(clip: Any, text: str, bank: str) -> Tensor:
    """Mean [d] of the unit embeddings of a text's sentences, of unit length again."""
    return F.normalize(F.normalize(clip.encode_text(sentences(text, bank)).float(), dim=-1).mean(dim=0), dim=-1)


def text_difference(clip: Any, target: str, source: str, bank: str = "imagenet") -> Tensor:
    """Target minus source [d], NOT normalised: the threshold of the relevance mask is meant for this."""
    return text_embedding(clip, target, bank) - text_embedding(clip, source, bank)
