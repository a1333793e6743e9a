"""Draw the parts of a church picture, from the sun in the sky to the trees in front.

Coordinates are pixels of a 64-pixel picture, x to the right, y down, the origin where the middle of the nave meets the
ground. The sky keeps the frame's own coordinates: it is too far away to move with the church.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from textedit_bench.worlds.drawing import Canvas, Scene, box, coverage, ellipse, flat, intersect, named, union
from textedit_bench.worlds.world import Factors, FactorSpace

SKY_TOP = {"day": (96, 172, 240), "sunset": (150, 84, 160), "night": (22, 26, 74)}
SKY_LOW = {"day": (196, 228, 250), "sunset": (255, 176, 112), "night": (70, 76, 150)}
WALLS = {"stone": (158, 162, 170), "brick": (178, 64, 52), "white": (246, 242, 230), "wood": (172, 124, 70)}
ROOF = {"red": (222, 44, 34), "blue": (42, 84, 206), "green": (36, 150, 104), "black": (40, 38, 46)}
DOOR = {"red": (214, 28, 44), "blue": (36, 84, 224), "brown": (98, 54, 22)}
HEAVENS = {"day": (255, 228, 92), "sunset": (255, 120, 60), "night": (250, 246, 214)}
LAWN = {"none": (112, 178, 76), "snow": (246, 250, 255)}
HILL = {"none": (84, 144, 86), "snow": (206, 220, 240)}
GLASS = {"off": (38, 44, 72), "on": (255, 222, 74)}
CLOUD, WHITE, GOLD, FRAME = (250, 250, 252), (246, 250, 255), (255, 200, 40), (244, 234, 208)
CLOCK, INK, ROSE, ROSE_LEAF = (252, 250, 240), (34, 30, 40), (226, 36, 146), (56, 84, 232)
LEAVES, LEAVES_SHADE, TRUNK, PATH = (44, 132, 56), (30, 102, 48), (98, 64, 36), (214, 196, 158)


@dataclass
class Church(Scene):
    """Geometry and colours of a batch of churches. Numbers are [B, 1, 1], coordinates [B, H, W], in pixels."""

    x: Tensor
    y: Tensor
    frame_x: Tensor
    """Horizontal coordinate [1, 1, W] of the frame, from 0 to 64."""
    frame_y: Tensor

    @classmethod
    def from_factors(cls, factors: Factors, space: FactorSpace, side: int) -> Church:
        """Convert factors in [0, 1] to pixels."""
        values, names, g, n = named(factors, space)
        centre = torch.arange(side, dtype=torch.float32) * (64.0 / side) + 32.0 / side
        zoom = 0.95 + 0.10 * n["scale"]
        x = (centre[None, None, :] - 32.0 - 3.0 * (n["shift_x"] - 0.5)) / zoom
        y = (centre[None, :, None] - 55.0 - 2.0 * (n["shift_y"] - 0.5)) / zoom
        x, y = torch.broadcast_tensors(x, y)
        geometry = {
            "tower_x": -8.0 + 16.0 * g["tower_side"],
            "tower": 5.6 + 2.2 * g["tower_width"],
            "tower_top": -25.0 - 6.0 * g["tower_height"],
            "top": 10.0 + 5.0 * g["top_height"],
            "nave": 18.0 + 5.0 * g["nave_width"],
            "eaves": -12.5 - 5.0 * g["nave_height"],
            "roof": 6.0 + 4.0 * g["roof_height"],
            "ridge": 0.55 + 0.40 * g["ridge_length"],
            "window": 2.2 + 1.2 * g["window_size"],
            "spacing": 3.0 + 2.2 * g["window_spacing"],
            "door": 2.8 + 1.4 * g["door_width"],
            "door_top": -8.0 - 4.0 * g["door_height"],
        }
        return cls(values, names, geometry, n, x, y, centre[None, None, :], centre[None, :, None])

    def choose(self, attribute: str, *options: Tensor) -> Tensor:
        """Select from ``options``, [B, H, W] or [B, 1, 1], by the attribute's value index."""
        chosen, index = options[0], self.values[attribute].view(-1, 1, 1)
        for i, option in enumerate(options[1:], start=1):
            chosen = torch.where(index == i, option, chosen)
        return chosen

    def sky(self) -> Tensor:
        """Sky colour [B, 3, H, 1]: a gradient from the top down to the horizon."""
        down = (self.frame_y / 50.0).clamp(0.0, 1.0)[:, None]
        return torch.lerp(self.pick("sky", SKY_TOP), self.pick("sky", SKY_LOW), down)

    def walls(self, shade: float = 1.0) -> Tensor:
        """Wall colour, darkened by ``shade``."""
        return self.pick("walls", WALLS) * shade

    def roof(self, shade: float = 1.0) -> Tensor:
        """Roof colour, darkened by ``shade``."""
        return self.pick("roof", ROOF) * shade

    def light(self) -> Tensor:
        """Multiplicative light [B, 1, H, W]: a gain and a gradient from one side."""
        gain = 0.90 + 0.14 * self.nuisance["light_gain"]
        side = (self.nuisance["light_side"] - 0.5) * 0.24
        return (gain * (1.0 + side * self.x / 32.0))[:, None]

    @property
    def along(self) -> Tensor:
        """x seen from the middle of the tower."""
        return self.x - self.geometry["tower_x"]

    def nave_roof(self) -> Tensor:
        """Distance to the nave's roof: a trapezoid from the eaves up to the ridge."""
        g = self.geometry
        up = (g["eaves"] - self.y) / g["roof"]
        half = (g["nave"] + 2.0) * (1.0 - (1.0 - g["ridge"]) * up)
        return intersect(self.x.abs() - half, -(g["roof"] * up), g["roof"] * (up - 1.0))


def _arched(x: Tensor, y: Tensor, half: Tensor, height: Tensor) -> Tensor:
    """Distance to an upright shape on y = 0 with a half-round top, ``height`` tall in all."""
    straight = height - half
    return union(
        intersect(x.abs() - half, y, -y - straight), intersect(ellipse(x, y + straight, half, half), y + straight)
    )


def heavens(canvas: Canvas, church: Church) -> None:
    """The sun by day, a big low sun in the evening, a moon and stars at night."""
    x, y = church.frame_x, church.frame_y
    sun = ellipse(x - 53.0, y - 10.0, 5.4, 5.4)
    low_sun = ellipse(x - 54.0, y - 33.0, 7.0, 7.0)
    moon = intersect(ellipse(x - 53.0, y - 10.0, 6.4, 6.4), -ellipse(x - 56.4, y - 8.0, 5.4, 5.4))
    stars = (ellipse(x - a, y - b, 1.2, 1.2) for a, b in ((5, 7), (20, 5), (43, 6), (60, 23), (6, 28), (48, 28)))
    lights = torch.cat([sun, low_sun, union(moon, *stars)])
    canvas.paint(coverage(lights)[church.values["sky"]], church.pick("sky", HEAVENS), shows_if_painted=("sky",))


def clouds(canvas: Canvas, church: Church) -> None:
    """A bank of cloud on either side of the tower."""
    x, y = church.frame_x, church.frame_y
    puffs = ((9, 18, 8.0, 4.6), (14, 14.5, 5.6, 5.0), (51, 23, 9.0, 4.6), (47, 19.6, 5.4, 4.8), (56, 20.2, 4.4, 4.2))
    bank = coverage(union(*(ellipse(x - a, y - b, rx, ry) for a, b, rx, ry in puffs)))
    canvas.paint(bank.expand(church.x.shape), flat(CLOUD), church.has("clouds", "clouds"), shows=("clouds",))


def ground(canvas: Canvas, church: Church) -> None:
    """Hills behind, a lawn in front; both white in snow."""
    rise = 4.0 + 7.0 * church.nuisance["hills"]
    hill = church.y + 5.0 + rise * torch.cos((church.x - 20.0) / 13.0) * 0.6
    lawn = church.y + 4.0 - 0.0022 * church.x**2
    canvas.paint(coverage(-hill), church.pick("snow", HILL), shows=("snow",))
    canvas.paint(coverage(-lawn), church.pick("snow", LAWN), shows=("snow",))


def nave(canvas: Canvas, church: Church) -> None:
    """The long part: wall, plinth, and roof with its snow."""
    g = church.geometry
    wall = box(church.x, church.y - g["eaves"] / 2, g["nave"], -g["eaves"] / 2)
    canvas.paint(coverage(wall), church.walls(0.86), shows=("walls",))
    # The plinth, and the shadow under the eaves.
    edges = intersect(wall, -1.5 - g["eaves"] / 2 - (church.y - g["eaves"] / 2).abs())
    canvas.paint(coverage(edges), church.walls(0.58), shows=("walls",))
    roof = church.nave_roof()
    canvas.paint(coverage(roof), church.roof(), shows=("roof",))
    drifts = 0.7 * torch.cos(church.x * 0.9)
    cap = intersect(roof - 0.6, church.y - g["eaves"] + 0.5 * g["roof"] + drifts)
    canvas.paint(coverage(cap), flat(WHITE), church.has("snow", "snow"), shows=("snow",))


def windows(canvas: Canvas, church: Church) -> None:
    """Windows from the tower outwards to both ends of the nave; where the room ends they narrow and vanish."""
    g = church.geometry
    outwards = church.along.abs()
    room = g["nave"] - 1.6 - torch.sign(church.along) * g["tower_x"]
    middle, height = g["eaves"] * 0.5, -g["eaves"] * 0.70
    arched, rounded = [], []
    for place in range(3):
        at = g["tower"] + g["window"] + 2.2 + place * (2.0 * g["window"] + g["spacing"])
        share = ((room - at) / g["window"]).clamp(0.0, 1.0)
        gone = (0.8 - share).clamp_min(0.0) * 14.0
        x, y = outwards - at, church.y - middle
        arched.append(_arched(x, y - height * 0.5, g["window"] * 0.75, height) + gone)
        radius = g["window"] + 0.5
        rounded.append(ellipse(x, y, radius, radius) + gone)
    panes = church.choose("windows", union(*arched), union(*rounded))
    canvas.paint(coverage(panes - 0.9), flat(FRAME), shows=("windows",))
    canvas.paint(coverage(panes), church.pick("lights", GLASS), shows=("windows", "lights"))


def tower(canvas: Canvas, church: Church) -> None:
    """The tower's shaft with a shaded side."""
    g = church.geometry
    shaft = box(church.along, church.y - g["tower_top"] / 2, g["tower"], -g["tower_top"] / 2)
    canvas.paint(coverage(shaft), church.walls(), shows=("walls",))
    side_and_plinth = union(g["tower"] - 2.6 - church.along, -church.y - 1.6)
    canvas.paint(coverage(intersect(shaft, side_and_plinth)), church.walls(0.74), shows=("walls",))


def tower_top(canvas: Canvas, church: Church) -> None:
    """Steeple, dome or battlements, with snow on them and a cross above."""
    g = church.geometry
    x, up = church.along, g["tower_top"] - church.y
    tall, wide = g["top"], g["tower"] + 1.8
    steeple = intersect((x.abs() - (wide - 2.4) * (1.0 - up / tall)) * 0.9, -up, up - tall)
    # Bulging over the ledge: with straight sides it differs from a steeple in too few pixels to be named reliably.
    dome = intersect(ellipse(x, up - tall * 0.30, g["tower"] + 2.4, tall * 0.50), -up)
    ledge = box(x, up - 0.4, wide, 1.3)
    merlon = 2.2 + 0.25 * tall
    gaps = torch.cos(x * (2.0 * torch.pi) / (wide * 0.8)) * 1.6 + 0.2
    level = intersect(x.abs() - wide, -up, up - merlon, -gaps)
    peak = church.choose("tower_top", tall - 1.0, tall * 0.80, merlon - 2.0)
    cross = union(box(x, up - peak - 2.6, 1.0, 3.6), box(x, up - peak - 3.6, 2.7, 0.9))
    canvas.paint(coverage(cross), flat(GOLD))
    battlements = church.has("tower_top", "flat")
    top = union(level, ledge)
    canvas.paint(coverage(top), church.walls(0.92), battlements, shows_if_painted=("tower_top", "walls"))
    pointed = church.choose("tower_top", steeple, dome)
    canvas.paint(coverage(pointed), church.roof(0.94), ~battlements, shows_if_painted=("tower_top", "roof"))
    shade = intersect(pointed, 0.35 * g["tower"] * (1.0 - up / tall) - x)
    canvas.paint(coverage(shade), church.roof(0.76), ~battlements, shows_if_painted=("tower_top", "roof"))
    cap = intersect(pointed - 0.5, 0.41 * tall - up + 0.6 * torch.cos(x * 1.2))
    snowy = ~battlements & church.has("snow", "snow")
    canvas.paint(coverage(cap), flat(WHITE), snowy, shows_if_painted=("snow", "tower_top"))
    canvas.paint(coverage(ledge), church.walls(0.68), ~battlements, shows_if_painted=("walls",))


def tower_front(canvas: Canvas, church: Church) -> None:
    """A clock or a rose window high on the tower."""
    g = church.geometry
    x, y = church.along, church.y - g["tower_top"] - 6.6
    disc = ellipse(x, y, 4.3, 4.3)
    clock, adorned = church.has("tower_front", "clock"), ~church.has("tower_front", "plain")
    canvas.paint(coverage(disc - 0.5), flat(INK), adorned, shows=("tower_front",))
    petals = (0.5 + (2.0 * torch.cos(4.0 * torch.atan2(y, x))).clamp(-0.5, 0.5))[:, None]
    face = torch.where(clock[:, None, None, None], flat(CLOCK), torch.lerp(flat(ROSE_LEAF), flat(ROSE), petals))
    canvas.paint(coverage(disc + 0.8), face, adorned, shows=("tower_front",))
    hands = union(box(x, y + 1.2, 0.6, 1.7), box(x - 1.0, y, 1.5, 0.6))
    centre = torch.where(clock[:, None, None], hands, ellipse(x, y, 1.5, 1.5))
    ink_or_gold = torch.where(clock[:, None, None, None], flat(INK), flat(GOLD))
    canvas.paint(coverage(centre), ink_or_gold, adorned, shows_if_painted=("tower_front",))


def door(canvas: Canvas, church: Church) -> None:
    """An arched door in a light frame, and a path that leads to it."""
    g = church.geometry
    frame = _arched(church.along, church.y, g["door"] + 1.1, 1.1 - g["door_top"])
    canvas.paint(coverage(frame), flat(FRAME))
    leaf = _arched(church.along, church.y, g["door"], -g["door_top"])
    canvas.paint(coverage(leaf), church.pick("door", DOOR), shows=("door",))
    lane = intersect(church.along.abs() - g["door"] - 0.6 - 0.5 * church.y, -church.y)
    canvas.paint(coverage(lane), flat(PATH))


def trees(canvas: Canvas, church: Church) -> None:
    """A round tree at either end of the church."""
    planted = church.has("trees", "trees")
    x, y = church.x.abs() - 26.0, church.y - 1.5
    trunk = box(x, y + 4.0, 1.3, 4.0)
    crown = union(ellipse(x, y + 12.0, 6.6, 6.4), ellipse(x, y + 18.0, 4.6, 5.0))
    canvas.paint(coverage(trunk), flat(TRUNK), planted, shows=("trees",))
    canvas.paint(coverage(crown), flat(LEAVES_SHADE), planted, shows=("trees",))
    canvas.paint(coverage(intersect(crown + 1.2, y + 10.0 + 0.2 * x)), flat(LEAVES), planted, shows=("trees",))


BACK_TO_FRONT: tuple[Callable[[Canvas, Church], None], ...] = (
    heavens,
    clouds,
    ground,
    nave,
    windows,
    tower_top,
    tower,
    tower_front,
    door,
    trees,
)
