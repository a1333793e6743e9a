"""The CLIPs of the worlds: open_clip networks of our own sizes, with their own token table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import open_clip
import torch
from torch import Tensor

from textedit_bench.models.clip import ClipModel
from textedit_bench.models.storage import StoredNetwork
from textedit_bench.worlds.tokenizer import CONTEXT_LENGTH, CutTokenizer

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
