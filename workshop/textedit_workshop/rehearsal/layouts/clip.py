"""OpenAI's TorchScript archive of a vision-transformer CLIP, in the mixture of precisions it is published in."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from textedit_workshop.rehearsal.filling import fill
from textedit_workshop.rehearsal.layouts.stylegan2 import Shapes
from textedit_workshop.rehearsal.sizes import ClipSize, Sizes

_HALF = (
    *("conv1.weight", "in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias", "text_projection"),
    *("c_fc.weight", "c_fc.bias", "c_proj.weight", "c_proj.bias", "visual.proj"),
)


VIT_L_14 = ClipSize(embed_dim=768, patch=14, vision_width=1024, vision_layers=24, text_width=768)


def clip_shapes(size: ClipSize) -> Shapes:
    """Parameters under OpenAI's names."""
    vision, text = size.vision_width, size.text_width
    patches = (size.image_size // size.patch) ** 2
    return {
        "visual.class_embedding": (vision,),
        "visual.positional_embedding": (patches + 1, vision),
        "visual.proj": (vision, size.embed_dim),
        "visual.conv1.weight": (vision, 3, size.patch, size.patch),
        **_norm("visual.ln_pre", vision),
        **_blocks("visual.transformer", vision, size.vision_layers),
        **_norm("visual.ln_post", vision),
        "positional_embedding": (size.context, text),
        "text_projection": (text, size.embed_dim),
        "logit_scale": (),
        "token_embedding.weight": (size.vocabulary, text),
        **_blocks("transformer", text, size.text_layers),
        **_norm("ln_final", text),
    }


def _norm(name: str, width: int) -> Shapes:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def _blocks(name: str, width: int, count: int) -> Shapes:
    shapes: Shapes = {}
    for block in range(count):
        inside = f"{name}.resblocks.{block}"
        shapes |= {
            **_norm(f"{inside}.ln_1", width),
            f"{inside}.attn.in_proj_weight": (3 * width, width),
            f"{inside}.attn.in_proj_bias": (3 * width,),
            f"{inside}.attn.out_proj.weight": (width, width),
            f"{inside}.attn.out_proj.bias": (width,),
            **_norm(f"{inside}.ln_2", width),
            f"{inside}.mlp.c_fc.weight": (4 * width, width),
            f"{inside}.mlp.c_fc.bias": (4 * width,),
            f"{inside}.mlp.c_proj.weight": (width, 4 * width),
            f"{inside}.mlp.c_proj.bias": (width,),
        }
    return shapes


class _Holder(nn.Module):
    """A place for tensors."""

    def forward(self, x: Tensor) -> Tensor:
        return x


def write_openai_clip(path: Path, sizes: Sizes, salt: str) -> None:
    """The archive with its three extra numbers."""
    size = sizes.clip
    state = fill(clip_shapes(size), salt)
    extras = {"input_resolution": size.image_size, "context_length": size.context, "vocab_size": size.vocabulary}
    root = _Holder()
    for name, tensor in [*state.items(), *((name, torch.tensor(number)) for name, number in extras.items())]:
        *parents, leaf = name.split(".")
        node: nn.Module = root
        for parent in parents:
            if parent not in node._modules:
                node.add_module(parent, _Holder())
            node = node.get_submodule(parent)
        node.register_buffer(leaf, tensor.half() if name.endswith(_HALF) else tensor)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch gives up TorchScript, which the published file is
        torch.jit.save(torch.jit.trace(root, torch.zeros(1)), str(path))


def write_open_clip_l14(path: Path, _sizes: Sizes, salt: str) -> None:
    """A bare state dict of open_clip's ViT-L-14, whose names are OpenAI's."""
    torch.save(fill(clip_shapes(VIT_L_14), salt), path)
