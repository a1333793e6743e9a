"""Paint layers over each other and record where each attribute is visible."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor


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
