"""open_clip's byte-pair tokenizer with a table reduced to the worlds' words.

Cutting keeps every merge that the encoding of a kept word goes through, so kept words are one or few tokens, exactly as
in the full table; any other text falls back to shorter pieces and in the end to single bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from open_clip.tokenizer import SimpleTokenizer, bytes_to_unicode, get_clean_fn

CONTEXT_LENGTH = 32


class CutTokenizer(SimpleTokenizer):  # type: ignore[misc] # open_clip has no types
    """Converts texts to tokens int64 [B, context_length]; longer texts are truncated, the end token kept.

    Args:
        merges: merges as ``"left right"``, most frequent first (`merges_for`).
        context_length: tokens per text, the two special ones included.
    """

    def __init__(self, merges: Sequence[str], context_length: int = CONTEXT_LENGTH) -> None:
        # The parent's constructor reads the full table from a file; everything it sets is set here.
        self.merges = tuple(merges)
        pairs = [tuple(merge.split(" ")) for merge in merges]
        self.byte_encoder = bytes_to_unicode()
        self.byte_decoder = {v: k for k, v in self.byte_encoder.items()}
        characters = list(self.byte_encoder.values())
        special = ["<start_of_text>", "<end_of_text>"]
        # The end token comes last: open_clip pools the text at its largest token.
        table = [*characters, *(c + "</w>" for c in characters), *("".join(p) for p in pairs), *special]
        self.encoder = {token: i for i, token in enumerate(table)}
        self.decoder = {i: token for token, i in self.encoder.items()}
        self.bpe_ranks = {pair: i for i, pair in enumerate(pairs)}
        self.cache = {token: token for token in special}
        self.pat = _WORDS
        self.vocab_size = len(table)
        self.sot_token_id, self.eot_token_id = (self.encoder[token] for token in special)
        self.all_special_ids = [self.sot_token_id, self.eot_token_id]
        self.context_length = context_length
        self.clean_fn = get_clean_fn("lower")
        self.reduction_fn = None


_FULL = SimpleTokenizer
_WORDS = _FULL().pat


def merges_for(words: Iterable[str]) -> list[str]:
    """Return the merges of the full table that the given words use, most frequent first."""
    full = _FULL()
    needed: set[tuple[str, str]] = set()
    for word in words:
        for piece in full.pat.findall(word.lower()):
            letters = [full.byte_encoder[b] for b in piece.encode("utf-8")]
            parts = [*letters[:-1], letters[-1] + "</w>"]
            while len(parts) > 1:
                best = min(pairwise(parts), key=lambda p: full.bpe_ranks.get(p, len(full.bpe_ranks)))
                if best not in full.bpe_ranks:
                    break
                needed.add(best)
                parts = _merged(parts, best)
    return [" ".join(pair) for pair in sorted(needed, key=full.bpe_ranks.__getitem__)]


def _merged(parts: list[str], pair: tuple[str, str]) -> list[str]:
    out: list[str] = []
    i = 0
    while i < len(parts):
        if tuple(parts[i : i + 2]) == pair:
            out.append("".join(pair))
            i += 2
        else:
            out.append(parts[i])
            i += 1
    return out
