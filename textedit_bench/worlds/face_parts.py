"""Draw the parts of a face, from the hair behind the head to the hat in front of it.

Coordinates are pixels of a 64-pixel picture, x to the right, y down, the origin between the eyes' line and the mouth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from textedit_bench.worlds.drawing import (
    Canvas,
    Scene,
    arc,
    box,
    coverage,
    ellipse,
    flat,
    intersect,
    named,
    ring,
    union,
)
from textedit_bench.worlds.world import Factors, FactorSpace

HAIR = {
    "black": (28, 24, 30),
    "brown": (112, 66, 30),
    "blond": (244, 208, 92),
    "red": (205, 62, 18),
    "gray": (176, 178, 186),
    "blue": (48, 84, 226),
}
SKIN = {"pale": (255, 226, 204), "tanned": (216, 158, 108), "dark": (126, 78, 50)}
IRIS = {"brown": (104, 56, 18), "blue": (36, 116, 240), "green": (30, 160, 66)}
BACKGROUND = {"blue": (140, 196, 240), "green": (122, 186, 112), "pink": (244, 172, 196), "gray": (132, 132, 138)}
CLOTHES = {"white": (242, 242, 240), "red": (196, 32, 44), "black": (36, 36, 42), "yellow": (236, 196, 40)}
LIP, LIPSTICK, MOUTH_HOLE = (204, 92, 90), (222, 12, 60), (60, 8, 16)
BEARD, HAT, HAT_BAND, GOLD, RIM = (44, 28, 20), (118, 36, 156), (240, 232, 120), (255, 196, 0), (24, 24, 28)


@dataclass
class Face(Scene):
    """Geometry and colours of a batch of faces. Numbers are [B, 1, 1], coordinates [B, H, W], in pixels."""

    x: Tensor
    y: Tensor

    @classmethod
    def from_factors(cls, factors: Factors, space: FactorSpace, side: int) -> Face:
        """Convert factors in [0, 1] to pixels."""
        values, names, g, n = named(factors, space)
        centre = torch.arange(side, dtype=torch.float32) * (64.0 / side) + 32.0 / side
        zoom = 0.95 + 0.10 * n["scale"]
        x = (centre[None, None, :] - 32.0 - 3.0 * (n["shift_x"] - 0.5)) / zoom
        y = (centre[None, :, None] - 35.0 - 3.0 * (n["shift_y"] - 0.5)) / zoom
        x, y = torch.broadcast_tensors(x, y)
        geometry = {
            "width": 13.0 + 5.0 * g["face_width"],
            "height": 17.0 + 4.0 * g["face_height"],
            "jaw": 0.05 + 0.40 * g["jaw"],
            "eye_x": 6.3 + 2.2 * g["eye_spacing"],
            "eye_y": -6.0 + 3.6 * g["eye_height"],
            "brow": 0.6 + 1.1 * g["brow_thickness"],
            "brow_y": 5.8 + 2.2 * g["brow_height"],
            "nose": 3.0 + 3.6 * g["nose_length"],
            "nose_w": 1.4 + 2.0 * g["nose_width"],
            "mouth": 5.4 + 3.0 * g["mouth_width"],
            "mouth_y": 9.4 + 3.0 * g["mouth_height"],
            "ear": 2.2 + 2.6 * g["ear_size"],
        }
        return cls(values, names, geometry, n, x, y)

    def skin(self, shade: float = 1.0) -> Tensor:
        """Skin colour, darkened by ``shade``."""
        return self.pick("skin", SKIN) * shade

    def hair(self, shade: float = 1.0) -> Tensor:
        """Hair colour with the small tone nuisance."""
        return (self.pick("hair_color", HAIR) * shade * (0.92 + 0.16 * self.nuisance["tone"][:, None])).clamp(0, 1)

    def background(self) -> Tensor:
        """Background colour with a vertical gradient."""
        return self.pick("background", BACKGROUND) * (1.0 - 0.003 * (self.y[:, None] + 32.0))

    def light(self) -> Tensor:
        """Multiplicative light [B, 1, H, W]: a gain and a gradient from one side."""
        gain = 0.90 + 0.16 * self.nuisance["light_gain"]
        side = (self.nuisance["light_side"] - 0.5) * 0.30
        return (gain * (1.0 + side * self.x / 32.0))[:, None]

    def head(self, grow: float = 0.0) -> Tensor:
        """Distance to the head: an ellipse whose lower half narrows towards the chin by the jaw factor."""
        g = self.geometry
        down = (self.y / g["height"]).clamp(0.0, 1.0)
        taper = 1.0 - g["jaw"] * down**2
        return ellipse(self.x / taper, self.y, g["width"] + grow, g["height"] + grow)

    @property
    def mirrored(self) -> Tensor:
        """|x|: draws both sides at once."""
        return self.x.abs()


def back_hair(canvas: Canvas, face: Face) -> None:
    """Long hair falls behind the head; curls stand around it."""
    g = face.geometry
    long = box(face.x, face.y - 6.0, g["width"] + 4.6, 24.0, 9.0)
    painted = ("hair_color", "hair_style")
    canvas.paint(coverage(long), face.hair(0.9), face.has("hair_style", "long"), shows_if_painted=painted)
    angle = torch.atan2(face.y + 6.0, face.x)
    bumps = 1.0 * torch.cos(11.0 * angle)
    curls = ellipse(face.x, face.y + 7.0, g["width"] + 6.0, 18.0) - bumps
    canvas.paint(coverage(curls), face.hair(0.92), face.has("hair_style", "curly"), shows_if_painted=painted)


def body(canvas: Canvas, face: Face) -> None:
    """Neck and shoulders."""
    canvas.paint(coverage(box(face.x, face.y - 20.0, 5.5, 9.0, 2.0)), face.skin(0.86))
    shirt = ellipse(face.x, face.y - 34.0, 25.0, 13.0)
    canvas.paint(coverage(shirt), face.pick("clothes", CLOTHES), shows=("clothes",))


def head(canvas: Canvas, face: Face) -> None:
    """Ears and face."""
    g = face.geometry
    ears = ellipse(face.mirrored - g["width"] - 0.2, face.y + 1.0, g["ear"], g["ear"] + 1.6)
    canvas.paint(coverage(ears), face.skin(0.90), shows=("skin",))
    canvas.paint(coverage(face.head()), face.skin(), shows=("skin",))


def beard(canvas: Canvas, face: Face) -> None:
    """A full beard along the jaw and over the lip, leaving the mouth free."""
    g = face.geometry
    jaw = intersect(face.head(0.4), g["mouth_y"] - 4.6 - face.y - 0.10 * face.mirrored)
    canvas.paint(coverage(jaw), flat(BEARD), face.has("beard", "beard"), shows=("beard",))


def age_lines(canvas: Canvas, face: Face) -> None:
    """Two lines across the forehead, folds next to the nose, bags under the eyes."""
    g = face.geometry
    forehead = [arc(face.x, face.y - g["eye_y"] + g["brow_y"] + d, 8.0, -1.2, 0.55) for d in (2.9, 5.4)]
    fold_x = face.mirrored - 6.6 - 0.35 * (face.y - 5.0)
    folds = intersect(fold_x.abs() - 0.75, (face.y - 5.0).abs() - 3.4)
    bags = arc(face.mirrored - g["eye_x"], face.y - g["eye_y"] - 6.3, 3.8, 1.6, 0.6)
    lines = coverage(union(*forehead, folds, bags))
    canvas.paint(lines, face.skin(0.52), face.has("age", "old"), shows=("age",))


def cheeks(canvas: Canvas, face: Face) -> None:
    """Rouge of the make-up."""
    g = face.geometry
    rouge = coverage(ellipse(face.mirrored - g["width"] * 0.68, face.y - 4.2, 3.0, 2.2)) * 0.8
    canvas.paint(rouge, flat((240, 70, 120)), face.has("makeup", "makeup"), shows=("makeup",))


def nose(canvas: Canvas, face: Face) -> None:
    """A wedge that widens downwards."""
    g = face.geometry
    top, length = g["eye_y"] + 2.0, g["nose"]
    t = ((face.y - top) / length).clamp(0.0, 1.0)
    wedge = intersect(face.mirrored - 0.5 - g["nose_w"] * t, (face.y - top - length / 2).abs() - length / 2)
    canvas.paint(coverage(wedge), face.skin(0.72))


def mouth(canvas: Canvas, face: Face) -> None:
    """Lips by expression; make-up paints them red."""
    g = face.geometry
    y = face.y - g["mouth_y"]
    made_up = face.has("makeup", "makeup")
    lips = torch.where(made_up[:, None, None, None], flat(LIPSTICK), flat(LIP))
    bends = {"neutral": 0.0, "happy": 5.4, "sad": -5.4}
    for expression, bend in bends.items():
        stroke = coverage(arc(face.x, y, g["mouth"], bend, 1.6))
        present = face.has("expression", expression)
        shown = stroke * present.float()[:, None, None]
        canvas.paint(shown, lips, shows=("expression", "makeup"))
    present = face.has("expression", "surprised")
    hole = ellipse(face.x, y, g["mouth"] * 0.62, 4.4)
    canvas.paint(coverage(hole) * present.float()[:, None, None], lips, shows=("expression", "makeup"))
    canvas.paint(coverage(hole + 1.5), flat(MOUTH_HOLE), present, shows_if_painted=("expression",))


def eyes(canvas: Canvas, face: Face) -> None:
    """Eye shadow, white, iris, pupil, and brows above."""
    g = face.geometry
    big = face.has("eye_size", "big").float()[:, None, None]
    x, y = face.mirrored - g["eye_x"], face.y - g["eye_y"]
    rx, ry = 3.7 + 1.3 * big, 2.5 + 1.9 * big
    shadow = coverage(intersect(ellipse(x, y + 0.6, rx + 1.5, ry + 1.9), y + 0.2))
    canvas.paint(shadow, flat((150, 60, 190)), face.has("makeup", "makeup"), shows=("makeup",))
    canvas.paint(coverage(ellipse(x, y, rx, ry)), flat((250, 250, 250)), shows=("eye_size",))
    iris = ellipse(x, y, 2.35 + 0.75 * big, 2.35 + 0.75 * big)
    iris = intersect(iris, ellipse(x, y, rx, ry))
    canvas.paint(coverage(iris), face.pick("eye_color", IRIS), shows=("eye_color", "eye_size"))
    canvas.paint(coverage(ellipse(x, y, 0.9, 0.9)), flat((10, 10, 12)))
    brow = arc(x, y + g["brow_y"], 4.2, -1.4, g["brow"])
    canvas.paint(coverage(brow), face.skin(0.30))


def front_hair(canvas: Canvas, face: Face) -> None:
    """The hair on top of the head, by style; a bald head shows its scalp instead."""
    g = face.geometry
    hairline = g["eye_y"] - g["brow_y"] - 2.0
    cap = intersect(face.head(1.7), face.y - hairline - 0.018 * face.x**2)
    styled = face.has("hair_style", "short", "long", "curly")
    # Under a mohawk the bare sides say nothing that the strip does not: only the strip shows the style.
    bare_or_cap = coverage(cap) * (~face.has("hair_style", "mohawk")).float()[:, None, None]
    canvas.paint(bare_or_cap, face.hair(), styled, shows=("hair_style",), shows_if_painted=("hair_color",))
    spikes = 1.2 * torch.cos(1.3 * face.y)
    strip = box(face.x, face.y + g["height"] + 0.5, 3.6 + spikes * 0.3, 9.0, 2.0)
    canvas.paint(
        coverage(strip), face.hair(), face.has("hair_style", "mohawk"), shows_if_painted=("hair_color", "hair_style")
    )


def glasses(canvas: Canvas, face: Face) -> None:
    """Round rims with a bridge; sunglasses are filled."""
    g = face.geometry
    x, y = face.mirrored - g["eye_x"], face.y - g["eye_y"]
    lens = ellipse(x, y, 6.0, 5.6)
    bridge = box(face.x, y + 1.0, 2.2, 0.7)
    arms = box(face.mirrored - g["width"] + 2.2, y + 1.0, 2.6, 0.7)
    rims = union(ring(lens, 0.85), intersect(bridge, -lens), intersect(arms, -lens))
    canvas.paint(coverage(lens), flat((28, 28, 36)), face.has("glasses", "sunglasses"), shows_if_painted=("glasses",))
    canvas.paint(coverage(rims), flat(RIM), face.has("glasses", "glasses", "sunglasses"), shows=("glasses",))


def earrings(canvas: Canvas, face: Face) -> None:
    """Gold discs under the ears."""
    g = face.geometry
    disc = ellipse(face.mirrored - g["width"] - 1.2, face.y - g["ear"] - 3.4, 2.4, 2.4)
    canvas.paint(coverage(disc), flat(GOLD), face.has("earrings", "earrings"), shows=("earrings",))


def hat(canvas: Canvas, face: Face) -> None:
    """A hat with a brim above the brows; it hides most of the hair."""
    g = face.geometry
    brim_y = g["eye_y"] - g["brow_y"] - 4.6
    crown = intersect(box(face.x, face.y - brim_y + 8.0, g["width"] + 0.5, 9.0, 4.0), face.y - brim_y)
    brim = box(face.x, face.y - brim_y, g["width"] + 7.0, 1.7, 1.5)
    band = intersect(crown, (face.y - brim_y + 3.2).abs() - 1.1)
    wears = face.has("hat", "hat")
    canvas.paint(coverage(union(crown, brim)), flat(HAT), wears, shows=("hat",))
    canvas.paint(coverage(band), flat(HAT_BAND), wears, shows=("hat",))


BACK_TO_FRONT: tuple[Callable[[Canvas, Face], None], ...] = (
    back_hair,
    body,
    head,
    beard,
    age_lines,
    cheeks,
    nose,
    mouth,
    eyes,
    front_hair,
    earrings,
    glasses,
    hat,
)
