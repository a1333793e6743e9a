"""Compute geometry and colours of a cat.

Coordinates are pixels of a 64-pixel picture, x to the right, y down, the origin in the middle of the head.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from textedit_bench.worlds.drawing import Palette, Scene, ellipse, intersect, named, union
from textedit_bench.worlds.world import Factors, FactorSpace

FUR: Palette = {
    "orange": (240, 142, 44),
    "black": (50, 46, 56),
    "white": (248, 244, 238),
    "gray": (146, 152, 166),
    "brown": (146, 92, 54),
}
# Marks, and the light parts (muzzle, chest, paws), stand out from every fur.
MARKS: Palette = {
    "orange": (174, 74, 12),
    "black": (112, 104, 122),
    "white": (176, 150, 130),
    "gray": (70, 76, 92),
    "brown": (58, 32, 18),
}
LIGHT: Palette = {
    "orange": (255, 226, 178),
    "black": (112, 106, 122),
    "white": (255, 222, 216),
    "gray": (212, 216, 226),
    "brown": (206, 160, 116),
}
LINES: Palette = {
    "orange": (84, 34, 12),
    "black": (214, 206, 218),
    "white": (84, 70, 72),
    "gray": (34, 36, 48),
    "brown": (30, 16, 10),
}
IRIS: Palette = {"green": (74, 196, 66), "blue": (44, 132, 246), "yellow": (255, 208, 24)}
BACKGROUND: Palette = {"blue": (142, 200, 242), "pink": (246, 176, 200), "yellow": (250, 226, 132)}


@dataclass
class Cat(Scene):
    """Geometry and colours of a batch of cats. Numbers are [B, 1, 1], coordinates [B, H, W], in pixels."""

    x: Tensor
    y: Tensor

    @classmethod
    def from_factors(cls, factors: Factors, space: FactorSpace, side: int) -> Cat:
        """Convert factors in [0, 1] to pixels."""
        values, names, g, n = named(factors, space)
        centre = torch.arange(side, dtype=torch.float32) * (64.0 / side) + 32.0 / side
        zoom = 0.95 + 0.10 * n["scale"]
        x = (centre[None, None, :] - 32.0 - 3.0 * (n["shift_x"] - 0.5)) / zoom
        y = (centre[None, :, None] - 30.0 - 3.0 * (n["shift_y"] - 0.5)) / zoom
        x, y = torch.broadcast_tensors(x, y)
        geometry = {
            "width": 16.5 + 4.0 * g["head_width"],
            "height": 12.6 + 3.4 * g["head_height"],
            "ear": 10.0 + 5.0 * g["ear_size"],
            "ear_x": 9.0 + 4.0 * g["ear_spacing"],
            "eye_x": 7.0 + 3.0 * g["eye_spacing"],
            "eye_y": -4.0 + 3.4 * g["eye_height"],
            "muzzle": 5.6 + 3.4 * g["muzzle_width"],
            "muzzle_y": 4.4 + 2.6 * g["muzzle_height"],
            "mark": 0.8 + 0.5 * g["mark_size"],
            "mark_x": 6.0 * (g["mark_position"] - 0.5),
            "mark_spread": 0.8 + 0.5 * g["mark_spread"],
            "tail_y": 16.0 - 12.0 * g["tail_height"],
        }
        return cls(values, names, geometry, n, x, y)

    def fur(self, table: Palette = FUR, shade: float = 1.0) -> Tensor:
        """A colour that goes with the fur, with the small tone nuisance."""
        return (self.pick("fur_color", table) * shade * (0.94 + 0.12 * self.nuisance["tone"][:, None])).clamp(0, 1)

    def background(self) -> Tensor:
        """Background colour with a vertical gradient."""
        return self.pick("background", BACKGROUND) * (1.0 - 0.002 * (self.y[:, None] + 32.0))

    def light(self) -> Tensor:
        """Multiplicative light [B, 1, H, W]: a gain and a gradient from one side."""
        gain = 0.92 + 0.14 * self.nuisance["light_gain"]
        side = (self.nuisance["light_side"] - 0.5) * 0.28
        return (gain * (1.0 + side * self.x / 32.0))[:, None]

    @cached_property
    def head(self) -> Tensor:
        """Distance to the head: an ellipse, wider below the eyes."""
        g = self.geometry
        cheeks = 1.0 + 0.07 * (self.y / g["height"]).clamp(-1.0, 1.0)
        return ellipse(self.x / cheeks, self.y, g["width"], g["height"])

    @cached_property
    def body(self) -> Tensor:
        """Distance to the sitting body under the head."""
        return ellipse(self.x, self.y - 31.0, 15.5, 22.0)

    @cached_property
    def tail(self) -> Tensor:
        """Distance to the tail, which rises to the right of the body and bends at its tip."""
        top = self.geometry["tail_y"]
        bend = 20.5 + 2.6 * torch.sin((self.y - top) / 5.0)
        return union(
            intersect((self.x - bend).abs() - 2.9, top - self.y), ellipse(self.x - 20.5, self.y - top, 2.9, 2.9)
        )

    @property
    def mirrored(self) -> Tensor:
        """|x|: draws both sides at once."""
        return self.x.abs()
