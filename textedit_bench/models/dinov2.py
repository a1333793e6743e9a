"""DINOv2: self-supervised features for evaluating subjects without an identity network.

The class token of the vision transformer, from the published files (ViT-S, B or L with 14-pixel patches, without
registers); no editing method of StyleGAN was trained against it. Cosines of class tokens say whether the subject
stayed; as features of a set they give the Frechet distance that orders generators as people do (Stein et al. 2023).

Sources: Oquab et al. 2023, arXiv 2304.07193; Dosovitskiy et al. 2020, arXiv 2010.11929; Stein et al. 2023,
arXiv 2306.04675. Tensor names are those of the published files.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.errors import CheckpointError
from textedit_bench.models.inception import resized
from textedit_bench.models.state_dicts import load_exactly

SIDE = 224
PATCH = 14
HEAD = 64
"""Width of an attention head in every published size."""
OFFSET = 0.1
"""Added to the number of patches a side before the position embedding is rescaled, as the published network does."""
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet."""


class _Scale(nn.Module):
    """One learnt factor per channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        seen: Tensor = self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        return seen


def _mlp(width: int) -> nn.Sequential:
    first, last = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
    return nn.Sequential(OrderedDict(fc1=first, gelu=nn.GELU(), fc2=last))


class _Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.attn, self.mlp = _Attention(width, heads), _mlp(width)
        self.ls1, self.ls2 = _Scale(width), _Scale(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.ls1(self.attn(self.norm1(x)))
        out: Tensor = x + self.ls2(self.mlp(self.norm2(x)))
        return out


@lru_cache
@torch.inference_mode(False)
def _per_channel(values: tuple[float, ...], device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return values as [3, 1, 1], cached per device."""
    return torch.tensor(values, dtype=dtype, device=device)[:, None, None]


class _Patches(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, PATCH, PATCH)

    def forward(self, x: Tensor) -> Tensor:
        tokens: Tensor = self.proj(x).flatten(2).transpose(1, 2)
        return tokens


class DinoV2(nn.Module):
    """Class tokens of pictures.

    Args:
        width: of the tokens; a multiple of 64.
        depth: transformer blocks.
        grid: patches a side of the picture that the position embedding was trained for (37 in the published files).
    """

    def __init__(self, width: int, depth: int, grid: int = 37) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + grid * grid, width))
        self.patch_embed = _Patches(width)
        self.blocks = nn.Sequential(*(_Block(width, width // HEAD) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.eval().requires_grad_(False)

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor], source: str) -> DinoV2:
        """Build the network of a published file; its size is inferred from the tensors.

        Raises:
            CheckpointError: tensors are missing, surplus or misshapen, as those of the giant network and of the
                networks with registers are.
        """
        # The token of masked patches serves the training only.
        state = {name: tensor for name, tensor in state.items() if name != "mask_token"}
        positions = state.get("pos_embed")
        width = positions.shape[-1] if positions is not None and positions.ndim == 3 else 0
        grid = round((positions.shape[1] - 1) ** 0.5) if positions is not None and width else 0
        if not width or width % HEAD or positions is None or positions.shape[1] != 1 + grid * grid:
            raise CheckpointError(f"{source}: pos_embed is not that of a published DINOv2 network")
        depth = 1 + max((int(name.split(".")[1]) for name in state if name.startswith("blocks.")), default=-1)
        with torch.device("meta"):
            made = cls(width, depth, grid)
        made = made.to_empty(device="cpu")
        load_exactly(made, state, source, "ViT-S/14, B/14 and L/14 without registers are read.")
        return made.eval().requires_grad_(False)

    def trunk(self, inputs: Tensor) -> Tensor:
        """Compute class tokens [B, width] after the last norm, of normalised inputs [B, 3, 14 a, 14 b]."""
        rows, columns = inputs.shape[2] // PATCH, inputs.shape[3] // PATCH
        tokens = self.patch_embed(inputs) + self._positions(rows, columns)
        first = (self.cls_token + self.pos_embed[:, :1]).expand(len(tokens), -1, -1)
        read: Tensor = self.norm(self.blocks(torch.cat([first, tokens], 1))[:, 0])
        return read

    def forward(self, images: Tensor) -> Tensor:
        """Compute class tokens [B, width], float32, of pictures [B, 3, H, W] in [-1, 1] on the 8-bit grid.

        Pictures are resized to 224x224 like Pillow's bicubic filter does on floats; then ImageNet's mean and standard
        deviation are taken out.
        """
        levels = ((images.float() + 1.0) * 127.5).clamp(0.0, 255.0)
        mean, std = (_per_channel(values, levels.device, levels.dtype) for values in (MEAN, STD))
        return self.trunk((resized(levels, "clean", SIDE) / 255.0 - mean) / std)

    def embed(self, images: Tensor) -> Tensor:
        """Compute unit class tokens [B, width] of pictures [B, 3, H, W] in [-1, 1]."""
        return F.normalize(self(images), dim=1)

    def _positions(self, rows: int, columns: int) -> Tensor:
        """Return the position embedding of the patches, [1, rows * columns, width]."""
        own = self.pos_embed[:, 1:]
        grid = round(own.shape[1] ** 0.5)
        if (rows, columns) == (grid, grid):
            return own
        square = own.unflatten(1, (grid, grid)).permute(0, 3, 1, 2)
        scale = ((rows + OFFSET) / grid, (columns + OFFSET) / grid)
        return F.interpolate(square, scale_factor=scale, mode="bicubic").flatten(2).transpose(1, 2)
