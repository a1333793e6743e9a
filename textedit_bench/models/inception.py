"""The Inception network of 2015-12-05, used for every published FID, and its two resize rules.

Its published weights were ported from TensorFlow. Against torchvision's Inception v3 it has 1008 logits, average pools
that do not count the padding, and a maximum pool in the pooling branch of the very last block (as pytorch-fid's and
torch-fidelity's ports of the same file do). torchvision's own weights give other, incomparable numbers.

Source: Szegedy et al. 2016 (arXiv 1512.00567); Heusel et al. 2017 (arXiv 1706.08500) for its use in FID.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.models.state_dicts import load_exactly

Resize = Literal["clean", "torchfidelity"]
RESIZES: tuple[Resize, ...] = ("clean", "torchfidelity")
SIDE = 299
LOGITS = 1008
BLOCKS = (
    "Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "maxpool1", "Conv2d_3b_1x1", "Conv2d_4a_3x3", "maxpool2",
    "Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e", "Mixed_7a",
    "Mixed_7b", "Mixed_7c",
)  # fmt: skip
"""In the order of the forward pass."""


class Inception(nn.Module):
    """Pool3 features of pictures.

    Args:
        resize: ``clean`` (antialiased bicubic on floats, clipped, as Pillow and clean-fid) or ``torchfidelity``
            (bilinear of TensorFlow 1: no antialiasing, corner convention); part of a figure's protocol.
    """

    def __init__(self, resize: Resize = "clean") -> None:
        super().__init__()
        if resize not in RESIZES:
            raise ValueError(f"resize {resize!r} is unknown; valid: {', '.join(RESIZES)}")
        from torchvision.models.inception import Inception3  # half a second to import

        self.resize = resize
        self.network: Any = Inception3(num_classes=LOGITS, aux_logits=False, transform_input=False, init_weights=False)
        for name in ("Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e", "Mixed_7b"):
            _patch_pool(getattr(self.network, name), _average)
        _patch_pool(self.network.Mixed_7c, _maximum)
        self.eval().requires_grad_(False)

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor], source: str, resize: Resize = "clean") -> Inception:
        """Build the network of a published file.

        Raises:
            CheckpointError: tensors are missing, surplus or misshapen, as those of torchvision's own file are.
        """
        made = cls(resize)
        load_exactly(made.network, state, source)
        return made

    def forward(self, images: Tensor) -> Tensor:
        """Compute features [B, 2048], float32, of pictures [B, 3, H, W] in [-1, 1] on the 8-bit grid."""
        levels = ((images.float() + 1.0) * 127.5).clamp(0.0, 255.0)
        return self.trunk((resized(levels, self.resize) - 128.0) / 128.0)

    def trunk(self, inputs: Tensor) -> Tensor:
        """Compute features of resized and scaled inputs [B, 3, S, S] with S at least 75."""
        for name in BLOCKS:
            inputs = getattr(self.network, name)(inputs)
        return inputs.mean((2, 3))


def resized(levels: Tensor, rule: Resize, side: int = SIDE) -> Tensor:
    """Resize pictures [B, 3, H, W] in 0..255 to ``side`` x ``side``, float32, not rounded."""
    if tuple(levels.shape[-2:]) == (side, side):
        return levels
    if rule == "clean":
        return F.interpolate(levels, (side, side), mode="bicubic", antialias=True, align_corners=False).clamp(
            0.0, 255.0
        )
    for axis in (2, 3):
        levels = _corner_bilinear(levels, axis, side)
    return levels


def _corner_bilinear(x: Tensor, axis: int, side: int) -> Tensor:
    """Resize along one axis like TensorFlow 1: output i reads input i * (size / side), no half-pixel shift."""
    size = x.shape[axis]
    where = torch.arange(side, device=x.device, dtype=torch.float64) * (size / side)
    low = where.floor().long().clamp(max=size - 1)
    high = (low + 1).clamp(max=size - 1)
    shape = [1] * x.ndim
    shape[axis] = side
    share = (where - low).to(x.dtype).view(shape)
    return x.index_select(axis, low) * (1.0 - share) + x.index_select(axis, high) * share


def _average(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def _maximum(x: Tensor) -> Tensor:
    return F.max_pool2d(x, 3, stride=1, padding=1)


def _patch_pool(block: nn.Module, pool: Any) -> None:
    """Replace the pooling of the block's pooling branch.

    torchvision pools with a function call inside the block's forward pass. The branches are read off the block's own
    parameter names, so that the forward pass below is the published one.
    """
    kind = type(block).__name__
    branches = {"InceptionA": _branches_a, "InceptionC": _branches_c, "InceptionE": _branches_e}[kind]

    def forward(x: Tensor, block: Any = block) -> Tensor:
        return torch.cat([*branches(block, x), block.branch_pool(pool(x))], 1)

    block.forward = forward


def _branches_a(block: Any, x: Tensor) -> list[Tensor]:
    double = block.branch3x3dbl_3(block.branch3x3dbl_2(block.branch3x3dbl_1(x)))
    return [block.branch1x1(x), block.branch5x5_2(block.branch5x5_1(x)), double]


def _branches_c(block: Any, x: Tensor) -> list[Tensor]:
    single = block.branch7x7_3(block.branch7x7_2(block.branch7x7_1(x)))
    double = x
    for step in range(1, 6):
        double = getattr(block, f"branch7x7dbl_{step}")(double)
    return [block.branch1x1(x), single, double]


def _branches_e(block: Any, x: Tensor) -> list[Tensor]:
    single, double = block.branch3x3_1(x), block.branch3x3dbl_2(block.branch3x3dbl_1(x))
    return [
        block.branch1x1(x),
        torch.cat([block.branch3x3_2a(single), block.branch3x3_2b(single)], 1),
        torch.cat([block.branch3x3dbl_3a(double), block.branch3x3dbl_3b(double)], 1),
    ]
