"""Find the part of a text that a tokenizer truncates."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

import torch
from torch import Tensor

_MORE = " a a"


def unread(tokenizer: Callable[[list[str]], Tensor], text: str) -> str:
    """Return the truncated end of a text, from the beginning of a word; empty if nothing is truncated.

    Args:
        tokenizer: sentences -> tokens (B, context), int64, longer ones cut.
        text: a sentence.
    """

    def same(other: str) -> bool:
        return torch.equal(tokens, tokenizer([other])[0])

    tokens = tokenizer([text])[0]
    if not text.strip() or not same(text + _MORE) or not _is_over(tokenizer, text):
        return ""
    read = bisect_left(range(len(text)), True, key=lambda length: same(text[:length]))
    # The word that is cut in two is not read as what it says; scripts without blanks are cut between letters.
    start = text.rfind(" ", 0, read) + 1
    inside = read < len(text) and not text[read].isspace() and text[start:read].isascii() and start > 0
    return text[start if inside else read :].strip() or text[-1]


def _is_over(tokenizer: Callable[[list[str]], Tensor], text: str) -> bool:
    """Whether a text that fills the context has more tokens; one that just fits is not truncated."""
    encode, context = getattr(tokenizer, "encode", None), getattr(tokenizer, "context_length", None)
    if encode is not None and context is not None:
        return len(encode(text)) > context - 2
    shorter = text.rstrip()[:-1]
    return torch.equal(tokenizer([text])[0], tokenizer([shorter])[0])
