"""Stride-one 3x3 convolution of wide layers by Winograd's minimal filtering: 36 products instead of 144.

Winograd's F(4x4, 3x3) (Lavin and Gray 2016, arXiv 1509.09308): 4x4 outputs come from a 6x6 tile of the input through a
product per point of a 6x6 grid, and each of the 36 points is one matrix product over channels. The usual points
0, +-1, +-2 lose a decimal of float32; 0, +-3/4, +-3/2 were measured to lose nothing that matters (largest error 1.6
times, root mean square 1.9 times that of the direct convolution at 512 channels).

Only for frozen weights: their transform is four times their size and is worth its cost only where it is kept.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

POINTS = (0.0, 0.75, -0.75, 1.5, -1.5)
"""Interpolation points besides infinity."""
OUT, TAPS = 4, 3
TILE = OUT + TAPS - 1
MIN_CHANNELS = 256
"""Below, moving the tiles costs what the saved products gain."""
MIN_SIDE = 16
STRIP = 512
"""Tiles per matrix product: more no longer stay in the cache."""


def toom_cook() -> tuple[Tensor, Tensor, Tensor]:
    """Return the matrices of F(4, 3) in one dimension: output 4x6, weights 6x3, data 6x6; float64.

    output @ ((weights @ g) * (data @ d)) correlates six samples d with three taps g.
    """
    count = len(POINTS)
    output = torch.zeros(OUT, TILE, dtype=torch.float64)
    weights = torch.zeros(TILE, TAPS, dtype=torch.float64)
    data = torch.zeros(TILE, TILE, dtype=torch.float64)
    for j, point in enumerate(POINTS):
        others = [p for i, p in enumerate(POINTS) if i != j]
        norm = torch.tensor([point - p for p in others], dtype=torch.float64).prod()
        output[:, j] = torch.tensor([point**i for i in range(OUT)], dtype=torch.float64)
        weights[j] = torch.tensor([point**k for k in range(TAPS)], dtype=torch.float64) / norm
        data[j, :count] = _polynomial(others)
    output[-1, -1] = weights[-1, -1] = 1.0
    data[-1] = _polynomial(POINTS)
    return output, weights, data


def _polynomial(roots: Any) -> Tensor:
    """Return coefficients, lowest power first, of the monic polynomial with these roots."""
    coefficients = torch.ones(1, dtype=torch.float64)
    for root in roots:
        coefficients = F.pad(coefficients, (1, 0)) - root * F.pad(coefficients, (0, 1))
    return coefficients


def _planes() -> tuple[Tensor, Tensor]:
    """Return the two-dimensional data (36x36) and output (16x36) matrices, float32."""
    output, _, data = toom_cook()
    return torch.kron(data, data).float(), torch.kron(output, output).float()


DATA, OUTPUT = _planes()


def transform_weights(weight: Tensor) -> Tensor:
    """Transform weights (O, I, 3, 3) to (36, I, O), computed in float64."""
    _, matrix, _ = toom_cook()
    points = torch.einsum("ai,bj,ocij->abco", matrix, matrix, weight.detach().double())
    return points.flatten(0, 1).to(weight.dtype).contiguous()


def applies(x: Tensor, weight: Tensor) -> bool:
    """Whether `convolve` may replace the direct convolution of x (B, I, H, W) with weight (O, I, 3, 3)."""
    return (
        x.device.type == "cpu"
        and x.dtype == weight.dtype == torch.float32
        and not weight.requires_grad
        and weight.shape[2:] == (TAPS, TAPS)
        and min(weight.shape[:2]) >= MIN_CHANNELS
        and min(x.shape[2:]) >= MIN_SIDE
        and not any(side % OUT for side in x.shape[2:])
    )


def convolve(x: Tensor, points: Tensor) -> Tensor:
    """Compute a 3x3 convolution with zero padding of one.

    Args:
        x: (B, I, H, W), sides divisible by four; channels-last is the fast layout.
        points: transformed weights (36, I, O) of `transform_weights`, not differentiated.

    Returns:
        (B, O, H, W), channels last.
    """
    result: Tensor = _Winograd.apply(x, points)
    return result


class _Winograd(torch.autograd.Function):
    """Autograd function; the backward pass is the transposed algorithm with the same transformed weights."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, points: Tensor) -> Tensor:
        ctx.save_for_backward(points)
        batch, _, height, width = x.shape
        tiles = F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1)).unfold(1, TILE, OUT).unfold(2, TILE, OUT)
        made = x.new_empty(batch, height // OUT, OUT, width // OUT, OUT, points.shape[2])
        for image, rows in _strips(batch, height, width):
            part = tiles[image, rows]  # (rows, tiles in a row, I, 6, 6)
            data = part.permute(3, 4, 0, 1, 2).reshape(TILE * TILE, -1)
            products = torch.bmm((DATA @ data).view(TILE * TILE, -1, part.shape[2]), points)
            outputs = (OUTPUT @ products.flatten(1)).view(OUT, OUT, *part.shape[:2], -1)
            made[image, rows] = outputs.permute(2, 0, 3, 1, 4)
        return made.view(batch, height, width, -1).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, None]:
        (points,) = ctx.saved_tensors
        if not ctx.needs_input_grad[0]:
            return None, None
        (gradient,) = gradients
        batch, _, height, width = gradient.shape
        given = gradient.permute(0, 2, 3, 1).unflatten(2, (-1, OUT)).unflatten(1, (-1, OUT))
        channels = points.shape[1]
        padded = gradient.new_zeros(batch, height + OUT, width + OUT, channels)
        back = points.transpose(1, 2)
        for image, rows in _strips(batch, height, width):
            part = given[image, rows]  # (rows, 4, tiles in a row, 4, O)
            data = part.permute(1, 3, 0, 2, 4).reshape(OUT * OUT, -1)
            products = torch.bmm((OUTPUT.T @ data).view(TILE * TILE, -1, part.shape[4]), back)
            tiles = (DATA.T @ products.flatten(1)).view(TILE, TILE, part.shape[0], part.shape[2], channels)
            _add_overlapping(padded[image, OUT * rows.start : OUT * (rows.start + part.shape[0] + 1)], tiles)
        return padded[:, 1 : height + 1, 1 : width + 1].permute(0, 3, 1, 2), None


def _strips(batch: int, height: int, width: int) -> list[tuple[int, slice]]:
    """Split into pieces of about `STRIP` tiles: image and rows of tiles."""
    count = height // OUT
    rows = max(1, STRIP // (width // OUT))
    return [(image, slice(i, min(i + rows, count))) for image in range(batch) for i in range(0, count, rows)]


def _add_overlapping(target: Tensor, tiles: Tensor) -> None:
    """Add 6x6 tiles (6, 6, rows, columns, C), four apart, to target (4 rows + 4, 4 columns + 4, C)."""
    rows, columns = tiles.shape[2:4]
    blocks = target.unflatten(1, (-1, OUT)).unflatten(0, (-1, OUT))  # (rows + 1, 4, columns + 1, 4, C)
    for down, i in ((0, slice(0, OUT)), (1, slice(OUT, TILE))):
        for right, j in ((0, slice(0, OUT)), (1, slice(OUT, TILE))):
            part = tiles[i, j].permute(2, 0, 3, 1, 4)
            blocks[down : down + rows, : part.shape[1], right : right + columns, : part.shape[3]] += part
