"""Draw the parts of a cat, from the ground behind it to the hat on its head."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from textedit_bench.worlds.cat_geometry import IRIS, LIGHT, LINES, MARKS, Cat
from textedit_bench.worlds.drawing import Canvas, arc, box, coverage, ellipse, flat, intersect, union

PINK, TONGUE, MOUTH_HOLE, TOOTH = (238, 130, 146), (255, 88, 124), (112, 8, 30), (255, 252, 244)
COLLAR, GOLD, BOW, BOW_KNOT = (206, 24, 40), (255, 200, 16), (132, 44, 204), (88, 18, 148)
HAT, HAT_BAND = (10, 118, 116), (250, 236, 160)
GRASS, GRASS_SHADE = (92, 176, 68), (62, 140, 48)
CUSHION, CUSHION_SEAM = (214, 62, 84), (255, 190, 176)
BASKET, BASKET_SHADE = (206, 152, 84), (152, 98, 44)


def _triangle(x: Tensor, y: Tensor, half_base: Tensor | float, height: Tensor | float) -> Tensor:
    """Distance to an isosceles triangle that stands on the origin and points up."""
    slope = half_base / height
    sides = (x.abs() - half_base - y * slope) / (1.0 + slope * slope) ** 0.5
    return intersect(sides, y)


def _discs(discs: Sequence[tuple[Tensor, Tensor, Tensor]]) -> Tensor:
    """Distance to several discs (x, y, radius), exact at their edges."""
    nearest = (discs[0][0].square() + discs[0][1].square()) / discs[0][2].square()
    for x, y, radius in discs[1:]:
        nearest = torch.minimum(nearest, (x.square() + y.square()) / radius.square())
    return (nearest.sqrt() - 1.0) * discs[0][2]


def _paint_marks(canvas: Canvas, cat: Cat, stripes: Tensor, spots: Tensor) -> None:
    """Paint the marks of the fur's pattern; plain fur shows where both are missing."""
    striped, spotted = (cat.has("fur_pattern", v)[:, None, None] for v in ("striped", "spotted"))
    marks = torch.where(striped, stripes, torch.where(spotted, spots, torch.minimum(stripes, spots)))
    canvas.paint(coverage(marks), cat.fur(MARKS), ~cat.has("fur_pattern", "plain"), shows=("fur_pattern",))


def ground_behind(canvas: Canvas, cat: Cat) -> None:
    """A meadow or a cushion; the basket stands in front."""
    blades = 1.6 * torch.cos(1.25 * cat.x)
    meadow = 20.5 + blades - cat.y
    canvas.paint(coverage(meadow), flat(GRASS), cat.has("ground", "grass"), shows=("ground",))
    cushion = box(cat.x, cat.y - 27.0, 29.5, 9.0, 6.5)
    canvas.paint(coverage(cushion), flat(CUSHION), cat.has("ground", "cushion"), shows=("ground",))
    seam = intersect(cushion, (cat.y - 25.5 + 0.004 * cat.x**2).abs() - 0.8)
    canvas.paint(coverage(seam), flat(CUSHION_SEAM), cat.has("ground", "cushion"))


def body(canvas: Canvas, cat: Cat) -> None:
    """Tail, body, chest and paws."""
    canvas.paint(coverage(cat.tail), cat.fur(shade=0.92), shows=("fur_color",))
    canvas.paint(coverage(cat.body), cat.fur(shade=0.92), shows=("fur_color",))
    chest = ellipse(cat.x, cat.y - 21.0, 6.5, 9.0)
    paws = ellipse(cat.mirrored - 6.2, cat.y - 31.2, 5.4, 3.6)
    canvas.paint(coverage(union(chest, paws)), cat.fur(LIGHT))


def body_marks(canvas: Canvas, cat: Cat) -> None:
    """Bands around body and tail, or large spots."""
    g = cat.geometry
    rows = cat.y - 19.0 - g["mark_x"] * 0.5
    band = 7.0 * g["mark_spread"]
    from_band = (rows - band * torch.round(rows / band)).abs() - 1.9 * g["mark"]
    stripes = intersect(union(cat.body, cat.tail), from_band, 7.4 - cat.mirrored)
    left = cat.x - g["mark_x"] * 0.4
    spots = [
        (left - side * g["mark_spread"], cat.y - y, 3.8 * g["mark"]) for side, y in ((-9.5, 21), (9.5, 17), (10, 28))
    ]
    _paint_marks(canvas, cat, stripes, intersect(_discs(spots), cat.body))


def tufts(canvas: Canvas, cat: Cat) -> None:
    """Long fur: points of fur at the cheeks and a ruff under the chin, both behind the head."""
    g = cat.geometry
    fluffy = cat.has("fur_length", "fluffy")
    angle = torch.atan2(cat.y - 2.0, cat.x)
    # Sharp points, longest at the cheeks and under the chin.
    points = (11.0 * angle / torch.pi - torch.round(11.0 * angle / torch.pi)).abs() * 2.0
    reach = (1.5 + 4.5 * (1.0 - points)) * ((cat.y + 8.0) / 12.0).clamp(0.0, 1.0)
    fringe = ellipse(cat.x, cat.y - 3.2, g["width"] + 0.8, g["height"] + 1.4) - reach
    canvas.paint(coverage(fringe), cat.fur(shade=0.97), fluffy, shows=("fur_length",), shows_if_painted=("fur_color",))


def ears(canvas: Canvas, cat: Cat) -> None:
    """Pointed ears, pink inside, or small ears whose tips fold down."""
    g = cat.geometry
    base = -g["height"] + 5.0
    lean = cat.mirrored - g["ear_x"] + 0.22 * (cat.y - base)
    upright = _triangle(lean, cat.y - base, 0.60 * g["ear"], g["ear"] + 1.5)
    canvas.paint(
        coverage(upright), cat.fur(), cat.has("ears", "pointy"), shows=("ears",), shows_if_painted=("fur_color",)
    )
    inner = _triangle(lean, cat.y - base + 1.0, 0.34 * g["ear"], g["ear"] - 3.0)
    canvas.paint(coverage(inner), flat(PINK), cat.has("ears", "pointy"))


def folded_ears(canvas: Canvas, cat: Cat) -> None:
    """Flaps that hang over the forehead: drawn after the head."""
    g = cat.geometry
    folded = cat.has("ears", "folded")
    x, y = cat.mirrored - g["ear_x"] - 1.6, cat.y + g["height"] - 2.0
    along, across = x * 0.86 + y * 0.5, y * 0.86 - x * 0.5
    lobe = ellipse(along, across, 0.40 * g["ear"] + 1.6, 0.28 * g["ear"])
    canvas.paint(coverage(lobe), cat.fur(), folded, shows=("ears",), shows_if_painted=("fur_color",))
    flap = _triangle(along, -across - 1.4, 0.40 * g["ear"] + 1.4, 0.46 * g["ear"] + 1.0)
    canvas.paint(coverage(flap), cat.fur(MARKS), folded, shows=("ears",))


def head(canvas: Canvas, cat: Cat) -> None:
    """The head."""
    canvas.paint(coverage(cat.head), cat.fur(), shows=("fur_color",))


def head_marks(canvas: Canvas, cat: Cat) -> None:
    """Stripes down the forehead and along the cheeks, or large spots."""
    g = cat.geometry
    half = 1.5 * g["mark"]
    middle = cat.x - g["mark_x"] * 0.6
    strokes = torch.minimum(middle.abs(), (middle.abs() - 5.6 * g["mark_spread"]).abs()) - half
    forehead = intersect(strokes, cat.y + 0.40 * g["height"] + 0.25 * middle.abs())
    rows = cat.y - 3.0 - g["mark_x"] * 0.5
    cheeks = intersect((rows.abs() - 2.7 * g["mark_spread"]).abs() - half * 0.9, 0.66 * g["width"] - cat.mirrored)
    stripes = intersect(union(forehead, cheeks), cat.head)
    left, across = cat.x - g["mark_x"], g["width"] * g["mark_spread"]
    spots = [
        (left - side * across, cat.y - y * g["height"], radius * g["mark"])
        for side, y, radius in ((-0.50, -0.38, 6.2), (0.34, -0.80, 3.8), (0.66, 0.34, 4.2))
    ]
    _paint_marks(canvas, cat, stripes, intersect(_discs(spots), cat.head))


def muzzle(canvas: Canvas, cat: Cat) -> None:
    """Light muzzle, whiskers and nose."""
    g = cat.geometry
    y = cat.y - g["muzzle_y"]
    canvas.paint(coverage(ellipse(cat.x, y - 1.2, g["muzzle"], 5.0)), cat.fur(LIGHT))
    rows = y + 0.10 * (cat.mirrored - 10.0)
    whiskers = intersect((rows.abs() - 1.6).abs() - 0.3, 10.0 - cat.mirrored, cat.mirrored - 14.0 - 1.4 * g["muzzle"])
    canvas.paint(coverage(whiskers) * 0.75, flat(TOOTH))
    canvas.paint(coverage(_triangle(cat.x, -(y + 3.6), 0.40 * g["muzzle"], 3.4)), flat(PINK))


def mouth(canvas: Canvas, cat: Cat) -> None:
    """A closed mouth, an open one with teeth, or a tongue hanging out."""
    y, width = cat.y - cat.geometry["muzzle_y"] - 0.6, cat.geometry["muzzle"]
    lips = union(
        arc(cat.mirrored - 0.36 * width, y - 0.6, 0.36 * width + 0.2, 2.6, 0.75), box(cat.x, y + 1.0, 0.6, 1.2)
    )
    closed = cat.has("expression", "neutral", "tongue")
    canvas.paint(coverage(lips), cat.fur(LINES), closed, shows=("expression",))
    out = box(cat.x, y - 3.4, 2.7, 3.6, 2.6)
    canvas.paint(coverage(out), flat(TONGUE), cat.has("expression", "tongue"), shows=("expression",))
    hole = ellipse(cat.x, y - 2.2, 1.2 + 0.48 * width, 4.4)
    meowing = cat.has("expression", "meowing")
    canvas.paint(coverage(hole), flat(MOUTH_HOLE), meowing, shows=("expression",))
    fangs = _triangle(cat.mirrored - 2.2, -(y + 1.2), 1.2, 3.0)
    canvas.paint(coverage(intersect(fangs, hole)), flat(TOOTH), meowing)


def eyes(canvas: Canvas, cat: Cat) -> None:
    """Open eyes with upright pupils, or closed lids."""
    g = cat.geometry
    x, y = cat.mirrored - g["eye_x"], cat.y - g["eye_y"]
    is_open = cat.has("eyes", "open")
    eye = (x.square() + y.square()).sqrt() - 4.9
    canvas.paint(coverage(eye), flat((22, 18, 24)), is_open, shows=("eyes",))
    iris = coverage(eye + 0.9)
    canvas.paint(iris, cat.pick("eye_color", IRIS), is_open, shows_if_painted=("eye_color",))
    canvas.paint(coverage(ellipse(x, y, 1.6, 3.3)), flat((14, 12, 16)), is_open)
    glint = ellipse(cat.x - torch.sign(cat.x) * g["eye_x"] + 1.3, y + 1.6, 1.1, 1.1)
    canvas.paint(coverage(glint), flat((255, 255, 255)), is_open)
    # A spot around the eye would hide the line of the lid.
    canvas.paint(coverage(eye), cat.fur(shade=0.96), ~is_open)
    lid = arc(x, y - 0.6, 4.6, 4.4, 1.15)
    canvas.paint(coverage(lid), cat.fur(LINES), ~is_open, shows_if_painted=("eyes",))


def collar(canvas: Canvas, cat: Cat) -> None:
    """A red collar with a golden bell, or a purple one with a bow tie, under the chin."""
    g = cat.geometry
    y = cat.y - g["height"]
    bell = cat.has("collar", "bell")
    strap = intersect((y - 1.6 + 0.022 * cat.x**2).abs() - 1.9, cat.mirrored - 12.0)
    bow = cat.has("collar", "bow")
    straps = torch.where(bow[:, None, None, None], flat(BOW_KNOT), flat(COLLAR))
    canvas.paint(coverage(strap), straps, bell | bow, shows=("collar",))
    canvas.paint(coverage(ellipse(cat.x, y - 4.8, 3.4, 3.4)), flat(GOLD), bell, shows=("collar",))
    slot = union(box(cat.x, y - 5.6, 2.0, 0.5), ellipse(cat.x, y - 6.2, 0.9, 0.9))
    canvas.paint(coverage(slot), flat((92, 56, 8)), bell)
    loops = intersect(cat.mirrored - 8.5, (y - 3.4).abs() - 0.8 - 0.50 * cat.mirrored)
    canvas.paint(coverage(loops), flat(BOW), bow, shows=("collar",))
    canvas.paint(coverage(box(cat.x, y - 3.4, 1.9, 2.2, 0.8)), flat(BOW_KNOT), bow)


def ground_in_front(canvas: Canvas, cat: Cat) -> None:
    """Blades of grass over the paws, or the rim of the basket that the cat sits in."""
    blades = 32.0 + 2.4 * torch.cos(1.05 * cat.x) - cat.y
    canvas.paint(coverage(blades), flat(GRASS_SHADE), cat.has("ground", "grass"), shows_if_painted=("ground",))
    basket = cat.has("ground", "basket")
    side = intersect(cat.mirrored - 27.0 + 0.30 * (cat.y - 22.0), 24.0 - cat.y)
    weave = torch.sin(0.85 * cat.x) * torch.sin(0.95 * cat.y)
    color = torch.lerp(flat(BASKET), flat(BASKET_SHADE), (0.5 + 1.2 * weave).clamp(0.0, 1.0)[:, None])
    canvas.paint(coverage(side), color, basket, shows_if_painted=("ground",))
    canvas.paint(
        coverage(box(cat.x, cat.y - 23.5, 29.0, 2.2, 2.0)), flat(BASKET_SHADE), basket, shows_if_painted=("ground",)
    )


def hat(canvas: Canvas, cat: Cat) -> None:
    """A small top hat between the ears; it hides the forehead's marks."""
    y = cat.y + cat.geometry["height"] - 2.2
    wears = cat.has("hat", "hat")
    crown = box(cat.x, y + 6.0, 6.8, 6.5, 1.2)
    brim = box(cat.x, y, 9.8, 1.7, 1.5)
    canvas.paint(coverage(union(crown, brim)), flat(HAT), wears, shows=("hat",))
    band = intersect(crown, (y + 3.3).abs() - 1.3)
    canvas.paint(coverage(band), flat(HAT_BAND), wears)


BACK_TO_FRONT: tuple[Callable[[Canvas, Cat], None], ...] = (
    ground_behind,
    body,
    body_marks,
    tufts,
    ears,
    head,
    head_marks,
    folded_ears,
    muzzle,
    mouth,
    eyes,
    collar,
    ground_in_front,
    hat,
)
