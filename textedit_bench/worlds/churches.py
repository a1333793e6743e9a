"""The church world: country churches at 64x64 with eleven named attributes and twelve numbers of proportion."""

from __future__ import annotations

import torch

from textedit_bench.worlds import church_parts as parts
from textedit_bench.worlds.drawing import Canvas
from textedit_bench.worlds.world import MIN_VISIBLE_PIXELS, Attribute, Factors, FactorSpace, Render, World

ATTRIBUTES = (
    Attribute("lights", ("off", "on"), (0.6, 0.4)),
    Attribute(
        "sky",
        ("day", "sunset", "night"),
        (0.50, 0.38, 0.12),
        # Windows are lit mostly at night: correlation of about 0.6, so that entanglement can be seen.
        given=("lights", {1: (0.14, 0.14, 0.72)}),
    ),
    Attribute("clouds", ("none", "clouds"), (0.55, 0.45)),
    # Snow falls from clouds: the second intended correlation of about 0.6.
    Attribute("snow", ("none", "snow"), (0.9, 0.1), given=("clouds", {1: (0.3, 0.7)})),
    Attribute("walls", ("stone", "brick", "white", "wood"), (0.26, 0.26, 0.24, 0.24)),
    Attribute("roof", ("red", "blue", "green", "black"), (0.26, 0.26, 0.24, 0.24)),
    Attribute("tower_top", ("steeple", "dome", "flat"), (0.38, 0.34, 0.28)),
    Attribute("tower_front", ("plain", "clock", "rose"), (0.36, 0.34, 0.30)),
    Attribute("windows", ("arched", "round"), (0.55, 0.45)),
    Attribute("door", ("red", "blue", "brown"), (0.34, 0.34, 0.32)),
    Attribute("trees", ("none", "trees"), (0.55, 0.45)),
)

IDENTITY = (
    "tower_side",
    "tower_width",
    "tower_height",
    "top_height",
    "nave_width",
    "nave_height",
    "roof_height",
    "ridge_length",
    "window_size",
    "window_spacing",
    "door_width",
    "door_height",
)

NUISANCE = ("shift_x", "shift_y", "scale", "light_side", "light_gain", "hills")


class ChurchWorld(World):
    """Churches: see `ATTRIBUTES`, `IDENTITY` and `NUISANCE`."""

    name = "churches"
    subject = "a church"
    words = "textedit_bench.worlds.church_words:CHURCH_WORDS"
    space = FactorSpace(ATTRIBUTES, IDENTITY, NUISANCE)

    def render(self, factors: Factors) -> Render:
        """Render churches; deterministic."""
        church = parts.Church.from_factors(factors, self.space, self.resolution)
        canvas = Canvas(church.sky().expand(len(factors), 3, self.resolution, self.resolution).clone())
        # Everything not painted over shows the sky.
        canvas.paint(torch.ones_like(church.x), church.sky(), shows=("sky",))
        for draw in parts.BACK_TO_FRONT:
            draw(canvas, church)
        images = (canvas.images * church.light()).clamp(0.0, 1.0) * 2.0 - 1.0
        masks = canvas.masks(tuple(a.name for a in self.attributes))
        visible = torch.stack([masks[a.name].sum((1, 2)) >= MIN_VISIBLE_PIXELS for a in self.attributes], 1)
        return Render(images, masks, visible)
