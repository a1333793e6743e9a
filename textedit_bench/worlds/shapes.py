"""Signed distance functions in pixels, for antialiased drawing of batches.

Every function takes pixel coordinates ``x``, ``y`` ([B, H, W] or broadcastable) and shape parameters ([B, 1, 1] or
numbers) and returns the distance to the shape's edge in pixels, negative inside.
"""

from __future__ import annotations

import torch
from torch import Tensor

Number = Tensor | float


def ellipse(x: Tensor, y: Tensor, rx: Number, ry: Number) -> Tensor:
    """Compute the distance to an axis-aligned ellipse around the origin, to first order."""
    k0 = torch.sqrt((x / rx) ** 2 + (y / ry) ** 2)
    k1 = torch.sqrt((x / rx**2) ** 2 + (y / ry**2) ** 2)
    return k0 * (k0 - 1.0) / k1.clamp_min(1e-6)


def box(x: Tensor, y: Tensor, hx: Number, hy: Number, radius: Number = 0.0) -> Tensor:
    """Compute the distance to a box of half sides ``hx``, ``hy`` with rounded corners, around the origin."""
    qx, qy = x.abs() - hx + radius, y.abs() - hy + radius
    outside = torch.sqrt(qx.clamp_min(0) ** 2 + qy.clamp_min(0) ** 2)
    return outside + torch.maximum(qx, qy).clamp_max(0) - radius


def arc(x: Tensor, y: Tensor, half_width: Number, bend: Number, half_thickness: Number) -> Tensor:
    """Compute the distance to a parabolic stroke y = bend (1 - (x / half_width)^2) - bend / 2; bend > 0 is a smile."""
    t = x / half_width
    curve = bend * (1.0 - t**2) - bend * 0.5
    slope = 2.0 * bend * x / half_width**2
    across = (y - curve).abs() / torch.sqrt(1.0 + slope**2) - half_thickness
    return torch.maximum(across, x.abs() - half_width)


def union(*distances: Tensor) -> Tensor:
    """Return the union of shapes."""
    result = distances[0]
    for other in distances[1:]:
        result = torch.minimum(result, other)
    return result


def intersect(*distances: Tensor) -> Tensor:
    """Return the intersection of shapes."""
    result = distances[0]
    for other in distances[1:]:
        result = torch.maximum(result, other)
    return result


def ring(distance: Tensor, half_thickness: Number) -> Tensor:
    """Return the outline of a shape as a stroke."""
    return distance.abs() - half_thickness


def coverage(distance: Tensor) -> Tensor:
    """Compute the share of each pixel inside the shape, in [0, 1]: a one-pixel linear ramp across the edge."""
    return (0.5 - distance).clamp(0.0, 1.0)
