"""Draw worlds: antialiased shapes, painted in layers that record where each attribute is visible.

Every function takes pixel coordinates ``x``, ``y`` ([B, H, W] or broadcastable) and shape parameters ([B, 1, 1] or
numbers) and returns the distance to the shape's edge in pixels, negative inside.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from textedit_bench.worlds.world import Factors, FactorSpace

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


@dataclass
class _Layer:
    footprint: Tensor
    alpha: Tensor
    shows: tuple[str, ...]
    shows_if_painted: tuple[str, ...]


@dataclass
class Canvas:
    """A batch of pictures being painted from back to front.

    Attributes:
        images: [B, 3, H, W] in [0, 1].
    """

    images: Tensor
    _layers: list[_Layer] = field(default_factory=list)

    def paint(
        self,
        footprint: Tensor,
        color: Tensor,
        present: Tensor | None = None,
        shows: tuple[str, ...] = (),
        shows_if_painted: tuple[str, ...] = (),
    ) -> None:
        """Paint one shape.

        Args:
            footprint: coverage [B, H, W] in [0, 1].
            color: [B, 3, 1, 1] or [B, 3, H, W] in [0, 1].
            present: bool [B]; where False the shape is not painted, but its footprint still tells where its absence
                shows.
            shows: attributes that this footprint shows, painted or not.
            shows_if_painted: attributes shown only by paint that is really there.
        """
        alpha = footprint if present is None else footprint * present.to(footprint.dtype)[:, None, None]
        self.images = torch.lerp(self.images, color.expand_as(self.images), alpha[:, None])
        self._layers.append(_Layer(footprint, alpha, shows, shows_if_painted))

    def masks(self, names: tuple[str, ...]) -> dict[str, Tensor]:
        """Return attribute name -> bool [B, H, W]: where more than half of the pixel shows it after all painting."""
        shape = self.images.shape[0], *self.images.shape[2:]
        shown = {name: torch.zeros(shape) for name in names}
        through = torch.ones(shape)
        for layer in reversed(self._layers):
            for name in layer.shows:
                shown[name] = torch.maximum(shown[name], through * layer.footprint)
            for name in layer.shows_if_painted:
                shown[name] = torch.maximum(shown[name], through * layer.alpha)
            through = through * (1.0 - layer.alpha)
        return {name: value > 0.5 for name, value in shown.items()}


Color = tuple[int, int, int]
Palette = dict[str, Color]


class NamedFactors(NamedTuple):
    """Factors by name: value indices [B], the attributes' value names, and continuous factors [B, 1, 1] in [0, 1]."""

    values: dict[str, Tensor]
    names: dict[str, tuple[str, ...]]
    identity: dict[str, Tensor]
    nuisance: dict[str, Tensor]


def named(factors: Factors, space: FactorSpace) -> NamedFactors:
    """Return a batch of factors under the names of its space."""
    shape = (-1, 1, 1)
    return NamedFactors(
        {a.name: factors.attributes[:, i] for i, a in enumerate(space.attributes)},
        {a.name: a.values for a in space.attributes},
        {name: factors.identity[:, i].view(shape) for i, name in enumerate(space.identity)},
        {name: factors.nuisance[:, i].view(shape) for i, name in enumerate(space.nuisance)},
    )


def flat(color: Color) -> Tensor:
    """Convert a colour in 0..255 to [1, 3, 1, 1] in [0, 1]."""
    return torch.tensor(color, dtype=torch.float32).view(1, 3, 1, 1) / 255.0


@dataclass
class Scene:
    """A batch of subjects to draw. Numbers are [B, 1, 1]."""

    values: dict[str, Tensor]
    """Attribute name -> value index [B]."""
    names: dict[str, tuple[str, ...]]
    geometry: dict[str, Tensor]
    nuisance: dict[str, Tensor]

    def has(self, attribute: str, *wanted: str) -> Tensor:
        """Return bool [B]: whether the attribute has one of the values."""
        indices = [self.names[attribute].index(v) for v in wanted]
        return torch.isin(self.values[attribute], torch.tensor(indices))

    def pick(self, attribute: str, table: Palette) -> Tensor:
        """Return the colour [B, 3, 1, 1] in [0, 1] of an attribute's value."""
        rows = torch.tensor([table[v] for v in self.names[attribute]], dtype=torch.float32) / 255.0
        return rows[self.values[attribute]][:, :, None, None]
