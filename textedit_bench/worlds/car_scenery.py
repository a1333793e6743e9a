"""Draw the scene of a car: sky, city, forest or mountains, and the ground."""

from __future__ import annotations

from collections.abc import Callable

import torch

from textedit_bench.worlds.car_geometry import Car
from textedit_bench.worlds.drawing import Canvas, box, coverage, ellipse, flat, intersect, union

HORIZON = 41.0
SKY_TOP = {"day": (92, 172, 246), "night": (14, 16, 54)}
SKY_LOW = {"day": (206, 234, 252), "night": (56, 48, 112)}
SUN, MOON, STAR, CLOUD = (255, 226, 92), (250, 246, 214), (236, 238, 255), (255, 255, 255)
GROUND = {"road": (104, 104, 112), "grass": (126, 200, 72), "snow": (238, 244, 252), "beach": (240, 208, 136)}
GROUND_MARK = {"road": (250, 250, 244), "grass": (84, 158, 46), "snow": (196, 214, 238), "beach": (212, 172, 98)}
TOWERS = (
    # Left edge, right edge, top, shade. The sun and the moon shine over the low ones.
    (-4.0, 5.0, 21.5, 0),
    (5.0, 13.0, 25.0, 1),
    (13.0, 21.5, 20.5, 0),
    (21.5, 29.5, 14.0, 1),
    (29.5, 38.0, 20.0, 0),
    (38.0, 46.0, 16.0, 1),
    (46.0, 54.5, 22.0, 0),
    (54.5, 62.0, 13.5, 1),
    (62.0, 70.0, 19.0, 0),
)
TOWER_SHADES = ((168, 132, 128), (124, 110, 132))
WINDOW = {"day": (226, 236, 244), "night": (255, 214, 96)}
PINE, PINE_BACK = (30, 112, 62), (22, 82, 52)
PEAK_LIGHT, PEAK_DARK = (164, 134, 176), (112, 90, 138)
PEAKS = ((4.0, 20.0), (28.0, 12.0), (53.0, 17.5))
"""Summits, x and y, of the mountains."""


def sky(canvas: Canvas, car: Car) -> None:
    """A gradient with the sun and a cloud by day, the moon and stars by night."""
    x, y = car.scene_x, car.scene_y
    down = ((y - 8.0) / (HORIZON - 8.0)).clamp(0.0, 1.0)[:, None]
    color = torch.lerp(car.pick("time", SKY_TOP), car.pick("time", SKY_LOW), down)
    day, night = (car.has("time", v).float()[:, None, None] for v in ("day", "night"))
    cloud = union(ellipse(x - 47.0, y - 13.6, 6.5, 2.3), ellipse(x - 45.0, y - 12.0, 3.2, 2.8))
    sun = ellipse(x - 10.5, y - 14.5, 4.4, 4.4)
    crescent = intersect(sun, -ellipse(x - 13.0, y - 13.2, 4.0, 4.0))
    places = ((21.0, 11.0), (29.0, 16.5), (38.0, 11.5), (46.5, 17.0), (55.5, 11.5), (3.0, 20.0), (60.5, 20.5))
    stars = union(*(((x - a).abs() + (y - b).abs() - 1.2) for a, b in places))
    for shape, tone, when in ((cloud, CLOUD, day), (sun, SUN, day), (crescent, MOON, night), (stars, STAR, night)):
        color = torch.lerp(color, flat(tone).expand_as(color), (coverage(shape) * when)[:, None])
    canvas.paint(torch.ones_like(cloud), color, shows=("time",))


def city(canvas: Canvas, car: Car) -> None:
    """A row of towers whose windows are lit at night."""
    x, y = car.scene_x, car.scene_y
    here = car.has("background", "city")
    for shade, tone in enumerate(TOWER_SHADES):
        blocks = union(
            *(torch.maximum((x - (a + b) / 2).abs() - (b - a) / 2, t - y) for a, b, t, s in TOWERS if s == shade)
        )
        canvas.paint(coverage(blocks), flat(tone) * car.dusk(), here, shows_if_painted=("background", "time"))
    panes = []
    for left, right, top, _ in TOWERS:
        across = (x - (left + right) / 2).abs() - 2.3
        # One pane per floor, every five pixels down the tower.
        down = (torch.remainder(y - top - 0.6, 5.0) - 2.5).abs() - 1.2
        panes.append(intersect(across, down, top + 1.0 - y))
    glow = car.pick("time", WINDOW)
    canvas.paint(coverage(union(*panes)), glow, here, shows_if_painted=("background", "time"))


def forest(canvas: Canvas, car: Car) -> None:
    """Two rows of pines."""
    x, y = car.scene_x, car.scene_y
    here = car.has("background", "forest")
    rows = ((PINE_BACK, 11.0, 5.5, 14.0), (PINE, 11.0, 0.0, 17.5))
    for tone, every, offset, top in rows:
        away = (torch.remainder(x + offset, every) - every / 2).abs()
        # Three tiers of branches: the half width grows down each tier and starts again narrower.
        depth = y - top
        tier = torch.remainder(depth, 6.0)
        half = 0.34 * tier + 0.22 * (depth - tier) + 0.2
        pines = torch.maximum((away - half) * 0.9, top - y)
        canvas.paint(coverage(pines), flat(tone) * car.dusk(), here, shows_if_painted=("background", "time"))


def mountains(canvas: Canvas, car: Car) -> None:
    """Three peaks, each with a light and a dark side."""
    x, y = car.scene_x, car.scene_y
    here = car.has("background", "mountains")
    flanks = [((x - a).abs() * 1.05 - (y - b)) * 0.69 for a, b in PEAKS]
    range_ = union(*flanks)
    # The dark side lies right of each summit along a slanted ridge.
    shadow = union(*(intersect(f, a + 0.22 * (y - b) - x) for f, (a, b) in zip(flanks, PEAKS, strict=True)))
    canvas.paint(coverage(range_), flat(PEAK_LIGHT) * car.dusk(), here, shows_if_painted=("background", "time"))
    canvas.paint(coverage(shadow), flat(PEAK_DARK) * car.dusk(), here, shows_if_painted=("background", "time"))


def ground(canvas: Canvas, car: Car) -> None:
    """Road with a dashed line, grass with tufts, snow with drifts, or a beach with the sea behind it."""
    x, y = car.scene_x, car.scene_y
    land = coverage(HORIZON - y)
    canvas.paint(land, car.pick("ground", GROUND) * car.dusk(), shows=("ground", "time"))
    dash = box(torch.remainder(x, 16.0) - 8.0, y - 52.6, 5.0, 0.9, 0.4)
    tufts = intersect(
        (torch.remainder(x + 3.0 * torch.floor(y / 4.0), 7.0) - 3.5).abs() - 1.1,
        (torch.remainder(y, 4.0) - 2.0).abs() - 0.9,
        HORIZON + 1.0 - y,
    )
    drift = union(ellipse(x - 14.0, y - 53.0, 9.0, 1.5), ellipse(x - 44.0, y - 54.2, 12.0, 1.5))
    ripples = intersect((y - 52.8 - torch.sin(0.7 * x)).abs() - 0.7, y - 55.5)
    sea = intersect(HORIZON - y, y - HORIZON - 3.0)
    marks = {"road": dash, "grass": tufts, "snow": drift, "beach": ripples}
    tone = car.pick("ground", GROUND_MARK) * car.dusk()
    mark = sum(coverage(shape) * car.has("ground", v).float()[:, None, None] for v, shape in marks.items())
    canvas.paint(torch.as_tensor(mark), tone, shows=("ground", "time"))
    beach = car.has("ground", "beach")
    canvas.paint(coverage(sea), flat((40, 150, 200)) * car.dusk(), beach, shows_if_painted=("ground", "time"))


BACK_TO_FRONT: tuple[Callable[[Canvas, Car], None], ...] = (sky, city, forest, mountains, ground)
