"""Sentence templates for texts that CLIP encodes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from textedit_bench.models.clip import ClipModel

# The released code leaves this one of open_clip's (and CLIP's own) 80 out and keeps the order of the others.
_LEFT_OUT = "a photo of many {}."
_ARTICLE = re.compile(r"^(?:an?|the)\s+", re.IGNORECASE)


@cache
def templates() -> tuple[str, ...]:
    """Return the 79 templates, each with one ``{}``."""
    from open_clip import OPENAI_IMAGENET_TEMPLATES  # takes long to import

    return tuple(text for text in (make("{}") for make in OPENAI_IMAGENET_TEMPLATES) if text != _LEFT_OUT)


def sentences(text: str) -> list[str]:
    """Put a text into every template; its leading article is dropped, since the templates have one.

    Example:
        >>> sentences("a face with blond hair")[0]
        'a bad photo of a face with blond hair.'
    """
    bare = _ARTICLE.sub("", text.strip())
    return [template.replace("{}", bare) for template in templates()]


@torch.no_grad()
def mean_embedding(clip: ClipModel, texts: Sequence[str]) -> Tensor:
    """Compute the mean [d] of the texts' unit embeddings, normalised to unit length."""
    return F.normalize(F.normalize(clip.encode_text(texts).float(), dim=-1).mean(dim=0), dim=-1)
