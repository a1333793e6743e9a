"""Compute positions and colours of a car's parts in pixels from its factors.

A car faces right. Coordinates are pixels of a 64-pixel picture; those of the car have their origin on the ground
halfway between the wheels, x towards the front and y down, so that the car itself has negative y.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from textedit_bench.worlds.drawing import Scene, box, intersect, named
from textedit_bench.worlds.world import Factors, FactorSpace

BODY = {
    "red": (220, 34, 40),
    "blue": (36, 84, 226),
    "yellow": (250, 204, 28),
    "white": (246, 246, 244),
    "black": (50, 50, 58),
}
NIGHT = (0.42, 0.44, 0.62)
"""What is left of each colour channel of the scene at night."""
GROUND_LINE = 49.0
"""Row of the picture on which the wheels stand."""
BODY_TYPES = {
    # Added to the roof height, the body height and the clearance; slope of the rear window, pixels per pixel.
    "sedan": (0.0, 0.0, 0.0, 0.75),
    "suv": (2.0, 0.6, 1.2, 0.12),
    "pickup": (1.2, 0.0, 1.6, 0.10),
    "convertible": (-1.2, 0.0, -0.4, 0.0),
}


@dataclass
class Car(Scene):
    """Geometry and colours of a batch of cars. Numbers are [B, 1, 1], in pixels.

    Coordinates stay rows and columns, x [B, 1, W] and y [B, H, 1], until a shape needs both: that saves half
    of the work of drawing.
    """

    scene_x: Tensor
    scene_y: Tensor
    """Position in the square picture before the camera moves."""

    @classmethod
    def from_factors(cls, factors: Factors, space: FactorSpace, side: int, height: int) -> Car:
        """Convert factors in [0, 1] to pixels of the middle ``height`` rows of a square of ``side``."""
        values, names, g, n = named(factors, space)
        centre = torch.arange(side, dtype=torch.float32) * (64.0 / side) + 32.0 / side
        bar = (side - height) // 2
        zoom = 0.96 + 0.08 * n["scale"]
        x = (centre[None, None, :] - 32.0 - 3.0 * (n["shift_x"] - 0.5)) / zoom + 32.0
        y = (centre[None, bar : side - bar, None] - 44.0 - 2.0 * (n["shift_y"] - 0.5)) / zoom + 44.0
        rows = torch.tensor([BODY_TYPES[v] for v in names["body_type"]])[values["body_type"]]
        roof, tall, lift, slope = (rows[:, i].view(-1, 1, 1) for i in range(4))
        clearance = 2.8 + 2.6 * g["ground_clearance"] + lift
        half = 11.0 + 3.4 * g["wheelbase"]
        geometry = {
            "half_base": half,
            "wheel": 4.7 + 1.8 * g["wheel_size"],
            "bottom": -clearance,
            "belt": -clearance - 8.8 - 2.4 * g["body_height"] - tall,
            "roof": 8.6 + 2.6 * g["roof_height"] + roof,
            "front": half + 8.4,
            "rear": -half - 6.4 - 3.4 * g["tail_length"],
            "hood": 8.6 + 4.0 * g["hood_length"],
            "nose_drop": 0.4 + 3.4 * g["nose_drop"],
            "windshield": 0.30 + 0.75 * g["windshield_slope"],
            "rear_slope": slope,
            "sill": 0.45 * (4.3 + 2.6 * g["roof_height"] + roof) * (1.0 - g["window_size"]),
        }
        car = cls(values, names, geometry, n, x, y)
        car._place_cabin(g["tail_length"])
        return car

    def _place_cabin(self, tail: Tensor) -> None:
        """Place the cabin on the body: with a trunk or a bed behind it, neither, or only a windshield."""
        g = self.geometry
        g["cowl"] = g["front"] - g["hood"]
        starts = {
            "sedan": g["rear"] + 3.6 + 3.2 * tail,
            "suv": g["rear"] + 0.6,
            "pickup": g["cowl"] - 15.0,
            "convertible": g["cowl"] - 5.0,
        }
        start = torch.zeros_like(g["cowl"])
        for body_type, place in starts.items():
            start = torch.where(self.is_("body_type", body_type), place, start)
        g["cabin"] = start
        # A convertible keeps only its windshield, whose back leans like its front.
        g["rear_slope"] = torch.where(self.is_("body_type", "convertible"), -g["windshield"], g["rear_slope"])

    @property
    def x(self) -> Tensor:
        """Pixels in front of the middle of the wheels."""
        return self.scene_x - 28.0

    @property
    def y(self) -> Tensor:
        """Pixels below the ground that the car stands on."""
        return self.scene_y - GROUND_LINE

    def is_(self, attribute: str, *wanted: str) -> Tensor:
        """Return bool [B, 1, 1], like `has`."""
        return self.has(attribute, *wanted)[:, None, None]

    def paint(self) -> Tensor:
        """Colour of the body with the small tone nuisance."""
        return (self.pick("body_color", BODY) * (0.94 + 0.12 * self.nuisance["tone"][:, None])).clamp(0, 1)

    def dusk(self) -> Tensor:
        """Factor [B, 3, 1, 1] that darkens the scene, not the car, at night."""
        night = torch.tensor(NIGHT).view(1, 3, 1, 1)
        return torch.where(self.is_("time", "night")[:, None], night, torch.ones_like(night))

    def light(self) -> Tensor:
        """Multiplicative light [B, 1, H, W]: a gain and a gradient from one side."""
        gain = 0.92 + 0.12 * self.nuisance["light_gain"]
        side = (self.nuisance["light_side"] - 0.5) * 0.24
        return (gain * (1.0 + side * (self.scene_x - 32.0) / 32.0))[:, None]

    def cabin(self, inset: Tensor | float = 0.0) -> Tensor:
        """Compute the distance to the cabin above the belt line: slanted front and rear, rounded roof."""
        g, radius = self.geometry, 2.6
        up = g["belt"] - self.y
        behind = (g["cabin"] + g["rear_slope"] * up - self.x) / (1.0 + g["rear_slope"] ** 2).sqrt()
        ahead = (self.x - g["cowl"] + g["windshield"] * up) / (1.0 + g["windshield"] ** 2).sqrt()
        across = torch.maximum(behind, ahead) + inset + radius
        above = up - g["roof"] + inset + radius
        rounded = torch.sqrt(across.clamp_min(0) ** 2 + above.clamp_min(0) ** 2)
        return rounded + torch.maximum(across, above).clamp_max(0) - radius

    def hull(self) -> Tensor:
        """Compute the distance to the lower body: hood that slopes towards the nose, rounded ends."""
        g = self.geometry
        middle, half = (g["front"] + g["rear"]) / 2, (g["front"] - g["rear"]) / 2
        centre, half_y = (g["belt"] + g["bottom"]) / 2, (g["bottom"] - g["belt"]) / 2
        slab = box(self.x - middle, self.y - centre, half, half_y, 2.6)
        fall = g["nose_drop"] * ((self.x - g["cowl"]) / g["hood"]).clamp(0.0, 1.2)
        return intersect(slab, g["belt"] + fall - self.y)

    def tail_top(self) -> Tensor:
        """Return the height [B, 1, 1] on which a spoiler is mounted."""
        g = self.geometry
        return torch.where(self.is_("body_type", "suv"), g["belt"] - g["roof"] + 1.0, g["belt"])
