"""CLIP's two towers written out as in its paper and released weights' names, against what the loader gives."""

from __future__ import annotations

import open_clip
import pytest
import torch
from torch.nn import functional as F

from textedit_bench.models.clip import ClipModel

HEAD = 64
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


@pytest.fixture(scope="module")
def clip():
    torch.manual_seed(0)
    model = open_clip.CLIP(
        embed_dim=16,
        vision_cfg=open_clip.CLIPVisionCfg(layers=2, width=128, patch_size=32, image_size=64),
        text_cfg=open_clip.CLIPTextCfg(width=128, heads=2, layers=2),
        quick_gelu=True,
    ).eval()
    draw = torch.Generator().manual_seed(1)
    for tensor in model.parameters():
        tensor.data += 0.05 * torch.randn(tensor.shape, generator=draw)
    return ClipModel(model, open_clip.SimpleTokenizer(), 64)


def norm(x, state, name):
    return F.layer_norm(x, x.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"])


def blocks(x, state, prefix, mask):
    """Pre-norm transformer with GELU approximated by x sigmoid(1.702 x), one head at a time."""
    for index in range(2):
        name = f"{prefix}transformer.resblocks.{index}."
        read = norm(x, state, f"{name}ln_1")
        q, k, v = (read @ state[f"{name}attn.in_proj_weight"].T + state[f"{name}attn.in_proj_bias"]).chunk(3, -1)
        heads = []
        for part in range(x.shape[-1] // HEAD):
            cut = slice(part * HEAD, (part + 1) * HEAD)
            weights = (q[:, cut] @ k[:, cut].T / HEAD**0.5 + mask).softmax(-1)
            heads.append(weights @ v[:, cut])
        x = x + torch.cat(heads, -1) @ state[f"{name}attn.out_proj.weight"].T + state[f"{name}attn.out_proj.bias"]
        wide = norm(x, state, f"{name}ln_2") @ state[f"{name}mlp.c_fc.weight"].T + state[f"{name}mlp.c_fc.bias"]
        wide = wide * torch.sigmoid(1.702 * wide)
        x = x + wide @ state[f"{name}mlp.c_proj.weight"].T + state[f"{name}mlp.c_proj.bias"]
    return x


def test_the_image_tower_is_the_published_one(clip):
    state = clip.model.state_dict()
    image = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(2)) * 2 - 1
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    pixels = ((image + 1) / 2 - mean) / std
    patches = [pixels[:, r : r + 32, c : c + 32] for r in (0, 32) for c in (0, 32)]
    kernel = state["visual.conv1.weight"].flatten(1)
    tokens = torch.stack([state["visual.class_embedding"], *(kernel @ patch.flatten() for patch in patches)])
    tokens = norm(tokens + state["visual.positional_embedding"], state, "visual.ln_pre")
    read = blocks(tokens, state, "visual.", torch.zeros(5, 5))
    expected = norm(read[0], state, "visual.ln_post") @ state["visual.proj"]
    found = clip.encode_image(image[None], preprocessing="correct")[0]
    assert F.cosine_similarity(found, expected, dim=0) > 1 - 1e-5
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


def test_the_text_tower_is_the_published_one(clip):
    state = clip.model.state_dict()
    tokens = open_clip.SimpleTokenizer()(["a face with blond hair"])[0]
    words = state["token_embedding.weight"][tokens] + state["positional_embedding"]
    causal = torch.full((77, 77), float("-inf")).triu(1)
    read = norm(blocks(words, state, "", causal), state, "ln_final")
    expected = read[tokens.argmax()] @ state["text_projection"]  # the end token has the largest number
    found = clip.encode_text(["a face with blond hair"])[0]
    assert F.cosine_similarity(found, expected, dim=0) > 1 - 1e-5
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)
