"""The face world: cartoon faces at 64x64 with fourteen named attributes and twelve numbers of identity."""

from __future__ import annotations

import torch

from textedit_bench.worlds import face_parts as parts
from textedit_bench.worlds.drawing import Canvas
from textedit_bench.worlds.world import MIN_VISIBLE_PIXELS, Attribute, Factors, FactorSpace, Render, World

ATTRIBUTES = (
    Attribute("age", ("young", "old"), (0.7, 0.3)),
    Attribute(
        "hair_color",
        ("black", "brown", "blond", "red", "gray", "blue"),
        (0.18, 0.18, 0.18, 0.18, 0.10, 0.18),
        # Old faces are mostly gray: correlation of about 0.6, so that entanglement can be seen.
        given=("age", {1: (0.06, 0.06, 0.06, 0.06, 0.70, 0.06)}),
    ),
    Attribute("hair_style", ("bald", "short", "long", "curly", "mohawk"), (0.12, 0.24, 0.24, 0.22, 0.18)),
    Attribute("expression", ("neutral", "happy", "sad", "surprised"), (0.28, 0.26, 0.22, 0.24)),
    Attribute("glasses", ("none", "glasses", "sunglasses"), (0.60, 0.24, 0.16)),
    Attribute("beard", ("none", "beard"), (0.68, 0.32)),
    Attribute("skin", ("pale", "tanned", "dark"), (0.36, 0.34, 0.30)),
    Attribute("eye_size", ("normal", "big"), (0.65, 0.35)),
    Attribute("eye_color", ("brown", "blue", "green"), (0.36, 0.34, 0.30)),
    Attribute("hat", ("none", "hat"), (0.75, 0.25)),
    Attribute("makeup", ("none", "makeup"), (0.6, 0.4)),
    # Earrings go with make-up: the second intended correlation of about 0.6.
    Attribute("earrings", ("none", "earrings"), (0.8, 0.2), given=("makeup", {1: (0.2, 0.8)})),
    Attribute("background", ("blue", "green", "pink", "gray"), (0.25, 0.25, 0.25, 0.25)),
    Attribute("clothes", ("white", "red", "black", "yellow"), (0.25, 0.25, 0.25, 0.25)),
)

IDENTITY = (
    "face_width",
    "face_height",
    "jaw",
    "eye_spacing",
    "eye_height",
    "brow_thickness",
    "brow_height",
    "nose_length",
    "nose_width",
    "mouth_width",
    "mouth_height",
    "ear_size",
)

NUISANCE = ("shift_x", "shift_y", "scale", "light_side", "light_gain", "tone")


class FaceWorld(World):
    """Faces: see `ATTRIBUTES`, `IDENTITY` and `NUISANCE`."""

    name = "faces"
    subject = "a face"
    words = "textedit_bench.worlds.face_words:FACE_WORDS"
    detail = 1.0
    space = FactorSpace(ATTRIBUTES, IDENTITY, NUISANCE)

    def render(self, factors: Factors) -> Render:
        """Render faces; deterministic."""
        face = parts.Face.from_factors(factors, self.space, self.resolution)
        canvas = Canvas(face.background().expand(len(factors), 3, self.resolution, self.resolution).clone())
        # Everything not painted over shows the background.
        canvas.paint(torch.ones_like(face.x), face.background(), shows=("background",))
        for draw in parts.BACK_TO_FRONT:
            draw(canvas, face)
        images = (canvas.images * face.light()).clamp(0.0, 1.0) * 2.0 - 1.0
        masks = canvas.masks(tuple(a.name for a in self.attributes))
        visible = torch.stack([masks[a.name].sum((1, 2)) >= MIN_VISIBLE_PIXELS for a in self.attributes], 1)
        return Render(images, masks, visible)
