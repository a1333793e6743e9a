"""Draw the parts of a car, from its shadow to the beam of its headlights."""

from __future__ import annotations

from collections.abc import Callable

import torch

from textedit_bench.worlds.car_geometry import Car
from textedit_bench.worlds.drawing import Canvas, box, coverage, ellipse, flat, intersect, union

GLASS = {"clear": (190, 232, 250), "tinted": (16, 18, 26)}
LAMP = {"off": (170, 178, 188), "on": (255, 250, 170)}
TYRE, RUBBER, TRIM, OUTLINE = (26, 26, 30), (48, 48, 54), (72, 74, 82), (26, 22, 32)
SILVER, STEEL, BEAM, TAIL = (232, 236, 242), (120, 124, 134), (255, 244, 150), (255, 70, 60)
SPOILER, STRIPE, LUGGAGE, STRAP = (255, 124, 16), (20, 226, 188), (150, 92, 44), (236, 206, 150)
SEAT, HEAD, HAIR = (96, 58, 40), (240, 190, 150), (70, 44, 30)


def shadow(canvas: Canvas, car: Car) -> None:
    """A soft dark patch under the car."""
    g = car.geometry
    middle, half = (g["front"] + g["rear"]) / 2, (g["front"] - g["rear"]) / 2
    canvas.paint(coverage(ellipse(car.x - middle, car.y, half, 1.7)) * 0.45, flat((10, 12, 20)))


def beam(canvas: Canvas, car: Car) -> None:
    """The cone of light in front of the car."""
    g = car.geometry
    away = car.x - g["front"] + 1.5
    drop = car.y - (g["belt"] + g["nose_drop"] + 3.2) - 0.18 * away
    cone = torch.maximum(drop.abs() - 1.4 - 0.34 * away, -away)
    canvas.paint(coverage(cone) * 0.82, flat(BEAM), car.has("headlights", "on"), shows=("headlights",))


def seats(canvas: Canvas, car: Car) -> None:
    """An open car shows its driver, before a high seat."""
    g = car.geometry
    open_ = car.has("body_type", "convertible")
    x, y = car.x - g["cowl"] + 11.0 + 3.0 * g["windshield"], car.y - g["belt"]
    seat = box(x + 4.6, y, 1.7, 4.4, 1.2)
    face = ellipse(x, y + 3.8, 2.8, 3.0)
    hair = intersect(ellipse(x + 0.3, y + 4.2, 3.1, 3.3), y + 4.7 - 0.45 * x)
    for shape, tone in ((seat, SEAT), (face, HEAD), (hair, HAIR)):
        canvas.paint(coverage(shape), flat(tone), open_)


def body(canvas: Canvas, car: Car) -> None:
    """Hull and cabin in the colour of the car, with a dark outline."""
    g = car.geometry
    cabin = intersect(car.cabin(), car.y - g["belt"] - 2.0)
    whole = union(car.hull(), cabin)
    canvas.paint(coverage(whole - 0.7), flat(OUTLINE), shows=("body_type",))
    sheen = 1.06 - 0.02 * (car.y - g["belt"])
    canvas.paint(coverage(whole + 0.4), (car.paint() * sheen[:, None]).clamp(0, 1), shows=("body_color", "body_type"))
    skirt = intersect(car.hull(), g["bottom"] - 1.9 - car.y)
    canvas.paint(coverage(skirt), flat(TRIM))


def stripes(canvas: Canvas, car: Car) -> None:
    """Two stripes along the whole side."""
    g = car.geometry
    down = car.y - g["belt"] - 3.4
    bands = intersect((down.abs() - 1.7).abs() - 0.85, car.hull() + 0.8)
    canvas.paint(coverage(bands), flat(STRIPE), car.has("stripes", "stripes"), shows=("stripes",))


def doors(canvas: Canvas, car: Car) -> None:
    """The seam of a door; a pickup's cab ends at a second one."""
    g = car.geometry
    tall = intersect(g["belt"] + 0.6 - car.y, car.y - g["bottom"] + 2.4)
    front = (car.x - g["cowl"] + 2.0).abs() - 0.45
    canvas.paint(coverage(intersect(front, tall)) * 0.7, flat(OUTLINE))
    behind = (car.x - g["cabin"] + 0.6).abs() - 0.75
    canvas.paint(coverage(intersect(behind, tall)), flat(OUTLINE), car.has("body_type", "pickup"))


def windows(canvas: Canvas, car: Car) -> None:
    """Glass in a bright frame inside the cabin, parted by a pillar where it is long."""
    g = car.geometry
    open_ = car.is_("body_type", "convertible")
    inset = torch.where(open_, 1.0, 2.2)
    # The windshield of an open car keeps its height: it is all the glass there is.
    sill = torch.where(open_, 0.0, g["sill"])
    glass = intersect(car.cabin(inset), car.y - g["belt"] + 0.4 + sill)
    pillar = 0.3 - (car.x - (g["cabin"] + g["cowl"]) / 2).abs()
    glass = torch.where(car.is_("body_type", "sedan", "suv"), intersect(glass, pillar), glass)
    canvas.paint(coverage(glass - 0.8), flat(SILVER))
    canvas.paint(coverage(glass), car.pick("windows", GLASS), shows=("windows",))


def wheels(canvas: Canvas, car: Car) -> None:
    """Arch, tyre and rim: five silver spokes, a full chrome disc, or all black."""
    g = car.geometry
    r = g["wheel"]
    x, y = car.x.abs() - g["half_base"], car.y + r
    reach = torch.sqrt(x**2 + y**2)
    canvas.paint(coverage(intersect(reach - r - 1.0, car.hull())), flat(OUTLINE))
    canvas.paint(coverage(reach - r), flat(TYRE))
    rim = reach - r + 1.4
    disc = torch.where(car.is_("wheels", "chrome")[:, None], flat(SILVER), flat(RUBBER))
    canvas.paint(coverage(rim), disc, shows=("wheels",))
    fifth = 2.0 * torch.pi / 5.0
    turned = torch.remainder(torch.atan2(x, -y) + fifth / 2, fifth) - fifth / 2
    spokes = intersect(union((reach * torch.sin(turned)).abs() - 0.85, reach - 1.5, -rim - 0.9), rim)
    canvas.paint(coverage(spokes), flat(SILVER), car.has("wheels", "spoke"), shows_if_painted=("wheels",))
    canvas.paint(coverage(reach - 1.3), flat(STEEL), car.has("wheels", "chrome"), shows_if_painted=("wheels",))


def lamps(canvas: Canvas, car: Car) -> None:
    """Headlight and tail light."""
    g = car.geometry
    lamp = ellipse(car.x - g["front"] + 2.0, car.y - g["belt"] - g["nose_drop"] - 3.0, 2.2, 1.9)
    canvas.paint(coverage(lamp - 0.6), flat(TRIM))
    canvas.paint(coverage(lamp), car.pick("headlights", LAMP), shows=("headlights",))
    tail = box(car.x - g["rear"] - 1.4, car.y - g["belt"] - 3.0, 1.2, 1.7, 0.5)
    canvas.paint(coverage(tail), flat(TAIL))


def spoiler(canvas: Canvas, car: Car) -> None:
    """A wing on struts above the tail."""
    g = car.geometry
    x, y = car.x - g["rear"] - 3.8, car.y - car.tail_top()
    wing = box(x, y + 4.6 + 0.16 * x, 5.2, 1.6, 0.7)
    strut = intersect((x - 0.6).abs() - 1.1, (y + 1.6).abs() - 2.6)
    canvas.paint(coverage(union(wing, strut)), flat(SPOILER), car.has("spoiler", "spoiler"), shows=("spoiler",))


def roof_rack(canvas: Canvas, car: Car) -> None:
    """Luggage on a rack; a convertible has no roof to put it on."""
    g = car.geometry
    roof = g["belt"] - g["roof"]
    left, right = g["cabin"] + g["rear_slope"] * g["roof"], g["cowl"] - g["windshield"] * g["roof"]
    x, y = car.x - (left + right) / 2, car.y - roof + 3.3
    half = ((right - left) / 2 - 0.3).clamp(3.6, 7.5)
    closed = (~car.has("body_type", "convertible")).float()[:, None, None]
    load = box(x, y, half, 2.3, 0.7)
    straps = intersect((x.abs() - half * 0.5).abs() - 0.7, load)
    rail = box(x, y - 2.6, half + 0.9, 0.7)
    has = car.has("roof_rack", "rack")
    for shape, tone in ((load, LUGGAGE), (straps, STRAP), (rail, TYRE)):
        canvas.paint(coverage(shape) * closed, flat(tone), has, shows=("roof_rack",))


BACK_TO_FRONT: tuple[Callable[[Canvas, Car], None], ...] = (
    shadow,
    beam,
    seats,
    body,
    stripes,
    doors,
    windows,
    wheels,
    lamps,
    spoiler,
    roof_rack,
)
