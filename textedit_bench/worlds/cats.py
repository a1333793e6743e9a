"""The cat world: cartoon cats at 64x64 with eleven named attributes and twelve numbers of identity."""

from __future__ import annotations

import torch

from textedit_bench.worlds.cat_geometry import Cat
from textedit_bench.worlds.cat_parts import BACK_TO_FRONT
from textedit_bench.worlds.drawing import Canvas
from textedit_bench.worlds.world import MIN_VISIBLE_PIXELS, Attribute, Factors, FactorSpace, Render, World

ATTRIBUTES = (
    Attribute("fur_length", ("short", "fluffy"), (0.68, 0.32)),
    Attribute(
        "fur_color",
        ("orange", "black", "white", "gray", "brown"),
        (0.24, 0.24, 0.08, 0.22, 0.22),
        # Fluffy cats are mostly white: correlation of about 0.6, so that entanglement can be seen.
        given=("fur_length", {1: (0.09, 0.09, 0.66, 0.08, 0.08)}),
    ),
    Attribute("fur_pattern", ("plain", "striped", "spotted"), (0.30, 0.36, 0.34)),
    Attribute("ears", ("pointy", "folded"), (0.64, 0.36)),
    Attribute("eyes", ("open", "sleepy"), (0.70, 0.30)),
    Attribute("eye_color", ("green", "blue", "yellow"), (0.34, 0.34, 0.32)),
    Attribute("expression", ("neutral", "meowing", "tongue"), (0.38, 0.32, 0.30)),
    Attribute("collar", ("none", "bell", "bow"), (0.46, 0.28, 0.26)),
    Attribute("hat", ("none", "hat"), (0.75, 0.25)),
    Attribute("background", ("blue", "pink", "yellow"), (0.34, 0.33, 0.33)),
    Attribute(
        "ground",
        ("grass", "cushion", "basket"),
        (0.43, 0.14, 0.43),
        # Sleepy cats lie on cushions: the second intended correlation of about 0.6.
        given=("eyes", {1: (0.11, 0.78, 0.11)}),
    ),
)

IDENTITY = (
    "head_width",
    "head_height",
    "ear_size",
    "ear_spacing",
    "eye_spacing",
    "eye_height",
    "muzzle_width",
    "muzzle_height",
    "mark_size",
    "mark_position",
    "mark_spread",
    "tail_height",
)

NUISANCE = ("shift_x", "shift_y", "scale", "light_side", "light_gain", "tone")


class CatWorld(World):
    """Cats seen from the front: see `ATTRIBUTES`, `IDENTITY` and `NUISANCE`."""

    name = "cats"
    subject = "a cat"
    words = "textedit_bench.worlds.cat_words:CAT_WORDS"
    space = FactorSpace(ATTRIBUTES, IDENTITY, NUISANCE)

    def render(self, factors: Factors) -> Render:
        """Render cats; deterministic."""
        cat = Cat.from_factors(factors, self.space, self.resolution)
        canvas = Canvas(cat.background().expand(len(factors), 3, self.resolution, self.resolution).clone())
        # Everything not painted over shows the background.
        canvas.paint(torch.ones_like(cat.x), cat.background(), shows=("background",))
        for draw in BACK_TO_FRONT:
            draw(canvas, cat)
        images = (canvas.images * cat.light()).clamp(0.0, 1.0) * 2.0 - 1.0
        masks = canvas.masks(tuple(a.name for a in self.attributes))
        visible = torch.stack([masks[a.name].sum((1, 2)) >= MIN_VISIBLE_PIXELS for a in self.attributes], 1)
        return Render(images, masks, visible)
