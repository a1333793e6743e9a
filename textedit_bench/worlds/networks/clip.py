"""The CLIPs of the worlds: open_clip networks of our own sizes, with their own token table.

Cutting keeps every merge that the encoding of a kept word goes through, so kept words are one or few tokens, exactly as
in the full table; any other text falls back to shorter pieces and in the end to single bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import open_clip
import torch
from open_clip.tokenizer import SimpleTokenizer, bytes_to_unicode, get_clean_fn
from torch import Tensor

from textedit_bench.models.clip import ClipModel
from textedit_bench.models.storage import StoredNetwork

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


# Pictures reach the network in [-1, 1], so CLIP's own preprocessing and the published losses' agree in the mini tier.
MEAN = STD = (0.5, 0.5, 0.5)
EMBED_DIM = 128

VISION: dict[str, dict[str, Any]] = {
    # A residual network guides, a vision transformer judges: as different as open_clip's towers get.
    "guide": {"timm_model_name": "test_byobnet", "timm_model_pretrained": False, "image_size": 64},
    "judge": {"layers": 3, "width": 96, "head_width": 32, "patch_size": 8, "mlp_ratio": 2.0, "image_size": 64},
}
TEXT: dict[str, dict[str, Any]] = {
    "guide": {"width": 128, "heads": 4, "layers": 2, "mlp_ratio": 2.0},
    "judge": {"width": 128, "heads": 2, "layers": 2, "mlp_ratio": 2.0},
}


class WorldClip(ClipModel, StoredNetwork):
    """A small CLIP that rebuilds itself from its configuration.

    Args:
        name: shown in tables.
        vision, text: open_clip's ``CLIPVisionCfg`` and ``CLIPTextCfg`` fields; the token table's size is filled in.
        merges: the tokenizer's table.
        embed_dim: width of the embeddings.
    """

    def __init__(
        self, name: str, vision: Mapping[str, Any], text: Mapping[str, Any], merges: Sequence[str], embed_dim: int
    ) -> None:
        tokenizer = CutTokenizer(merges)
        network = open_clip.CLIP(
            embed_dim=embed_dim,
            vision_cfg=open_clip.CLIPVisionCfg(**vision),
            text_cfg=open_clip.CLIPTextCfg(context_length=CONTEXT_LENGTH, vocab_size=tokenizer.vocab_size, **text),
            # A picture's embedding is shared by all its attributes, so single cosines are small and need a high scale.
            init_logit_scale=math.log(1 / 0.04),
        )
        super().__init__(network, tokenizer, vision["image_size"], MEAN, STD, name)
        self.vision, self.text, self.merges = dict(vision), dict(text), list(merges)


def encode_short_text(network: Any, tokens: Tensor) -> Tensor:
    """open_clip's ``encode_text`` without the empty tail of the context, which causal attention never looks at.

    Same numbers, since the text is pooled at its end token; short and long captions are encoded separately, which is
    several times faster than the full context.

    Args:
        network: ``open_clip.CLIP``.
        tokens: int64 [B, context length].
    """
    lengths = (tokens != 0).sum(1)
    order = lengths.argsort(stable=True)
    parts = [_encode(network, tokens[rows, : int(lengths[rows].max())]) for rows in order.tensor_split(2) if len(rows)]
    return torch.cat(parts)[order.argsort()]


def _encode(network: Any, tokens: Tensor) -> Tensor:
    length = tokens.shape[1]
    x = network.token_embedding(tokens) + network.positional_embedding[:length]
    x = network.ln_final(network.transformer(x, attn_mask=network.attn_mask[:length, :length]))
    out: Tensor = x[torch.arange(len(x)), tokens.argmax(1)] @ network.text_projection
    return out
