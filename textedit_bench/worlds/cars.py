"""The car world: cartoon cars from the side, with eleven named attributes and ten numbers of silhouette."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from textedit_bench.worlds import car_parts, car_scenery
from textedit_bench.worlds.car_geometry import Car
from textedit_bench.worlds.drawing import Canvas
from textedit_bench.worlds.world import MIN_VISIBLE_PIXELS, Attribute, Factors, FactorSpace, Render, World

ATTRIBUTES = (
    Attribute("body_color", ("red", "blue", "yellow", "white", "black"), (0.2, 0.2, 0.2, 0.2, 0.2)),
    Attribute("body_type", ("sedan", "suv", "pickup", "convertible"), (0.28, 0.26, 0.24, 0.22)),
    Attribute("wheels", ("spoke", "chrome", "black"), (0.34, 0.33, 0.33)),
    Attribute("time", ("day", "night"), (0.6, 0.4)),
    # Who drives at night has the lights on: correlation of about 0.6, so that entanglement can be seen.
    Attribute("headlights", ("off", "on"), (0.82, 0.18), given=("time", {1: (0.2, 0.8)})),
    Attribute("spoiler", ("none", "spoiler"), (0.6, 0.4)),
    # Racing stripes go with a spoiler: the second intended correlation of about 0.6.
    Attribute("stripes", ("none", "stripes"), (0.82, 0.18), given=("spoiler", {1: (0.2, 0.8)})),
    Attribute("roof_rack", ("none", "rack"), (0.65, 0.35)),
    Attribute("windows", ("clear", "tinted"), (0.55, 0.45)),
    Attribute("ground", ("road", "grass", "snow", "beach"), (0.25, 0.25, 0.25, 0.25)),
    Attribute("background", ("city", "forest", "mountains"), (0.34, 0.33, 0.33)),
)

IDENTITY = (
    "wheelbase",
    "wheel_size",
    "ground_clearance",
    "body_height",
    "roof_height",
    "hood_length",
    "nose_drop",
    "tail_length",
    "windshield_slope",
    "window_size",
)

NUISANCE = ("shift_x", "shift_y", "scale", "light_side", "light_gain", "tone")


class CarWorld(World):
    """Cars: see `ATTRIBUTES`, `IDENTITY` and `NUISANCE`.

    The picture is wide: it fills the middle `height` rows of the square, between black bars, as LSUN car does in
    StyleGAN2's training data.
    """

    name = "cars"
    subject = "a car"
    words = "textedit_bench.worlds.car_words:CAR_WORDS"
    space = FactorSpace(ATTRIBUTES, IDENTITY, NUISANCE)
    height: ClassVar[int] = 48

    def render(self, factors: Factors) -> Render:
        """Render cars; deterministic."""
        car = Car.from_factors(factors, self.space, self.resolution, self.height)
        canvas = Canvas(torch.zeros(len(factors), 3, self.height, self.resolution))
        for draw in (*car_scenery.BACK_TO_FRONT, *car_parts.BACK_TO_FRONT):
            draw(canvas, car)
        # The bars stay exactly black: no light reaches them.
        images = self._between_bars((canvas.images * car.light()).clamp(0.0, 1.0)) * 2.0 - 1.0
        shown = canvas.masks(tuple(a.name for a in self.attributes))
        masks = {name: self._between_bars(mask) for name, mask in shown.items()}
        visible = torch.stack([masks[a.name].sum((1, 2)) >= MIN_VISIBLE_PIXELS for a in self.attributes], 1)
        return Render(images, masks, visible)

    def _between_bars(self, picture: Tensor) -> Tensor:
        bar = (self.resolution - self.height) // 2
        return torch.nn.functional.pad(picture, (0, 0, bar, bar))
