"""The car renderer's attributes are what it says, seen by an independent look at the pixels."""

from __future__ import annotations

import colorsys

import pytest
import torch
from torch import Tensor

from textedit_bench.worlds.cars import IDENTITY, CarWorld
from textedit_bench.worlds.world import MIN_VISIBLE_PIXELS, Factors, Render

WORLD = CarWorld()
# What a person would call these colours, as hue in degrees.
BODY_HUES = {"red": 358, "blue": 225, "yellow": 47}
TOP, BOTTOM = 8, 56
"""Rows of the picture between the bars."""


def _factors(count: int, seed: int = 0, **values: str) -> Factors:
    return WORLD.with_values(WORLD.sample(count, torch.Generator().manual_seed(seed)), values)


def _render(count: int = 6, seed: int = 0, **values: str) -> Render:
    return WORLD.render(_factors(count, seed, **values))


def _median(images: Tensor, mask: Tensor) -> Tensor:
    """Median colour in [0, 255] under a mask, per picture."""
    return torch.stack([(i[:, m].median(1).values + 1) * 127.5 for i, m in zip(images, mask, strict=True)])


def _silhouette(render: Render) -> Tensor:
    """Columns [B, 64] and rows [B, 64] that the body takes, as bool."""
    body = render.masks["body_type"]
    return torch.stack([body.any(1), body.any(2)])


def test_the_picture_is_wide_between_exactly_black_bars() -> None:
    render = _render(24)
    assert render.images.shape == (24, 3, 64, 64)
    assert render.images.dtype == torch.float32
    assert render.images.abs().max() <= 1.0
    bars = torch.cat([render.images[:, :, :TOP], render.images[:, :, BOTTOM:]], 2)
    assert (bars == -1.0).all()
    assert (render.images[:, :, TOP:BOTTOM].amax((1, 3)) > -0.9).all(), "no row of the picture is black"
    for mask in render.masks.values():
        assert not mask[:, :TOP].any() and not mask[:, BOTTOM:].any()


@pytest.mark.parametrize("color", list(BODY_HUES))
def test_the_body_has_the_hue_of_the_named_colour(color: str) -> None:
    render = _render(body_color=color, stripes="none")
    for median in _median(render.images, render.masks["body_color"]):
        hue = colorsys.rgb_to_hsv(*(median / 255).tolist())[0] * 360
        assert abs((hue - BODY_HUES[color] + 180) % 360 - 180) < 8


def test_black_and_white_bodies_have_no_hue_and_differ_in_brightness() -> None:
    for color, test in {"black": lambda c: c.max() < 75, "white": lambda c: c.min() > 170}.items():
        render = _render(body_color=color, stripes="none")
        for median in _median(render.images, render.masks["body_color"]):
            assert median.max() - median.min() < 20
            assert test(median)


def test_wheels_are_bright_discs_or_spokes_between_them_or_black() -> None:
    """Bright share of the rim: all of a disc, some of spokes, nothing of a black wheel."""
    share = {}
    for value in ("chrome", "spoke", "black"):
        render = _render(8, wheels=value)
        bright = (render.images.amin(1) > 0.3) & render.masks["wheels"]
        share[value] = bright.sum((1, 2)) / render.masks["wheels"].sum((1, 2))
    assert share["black"].max() == 0.0
    assert share["spoke"].min() > 0.15 and share["spoke"].max() < 0.7
    assert share["chrome"].min() > 0.75


def test_tinted_windows_are_dark_and_clear_ones_bright_on_every_colour() -> None:
    for color in WORLD.attributes[WORLD.index("body_color")].values:
        clear, tinted = (_render(body_color=color, windows=v) for v in ("clear", "tinted"))
        assert (_median(clear.images, clear.masks["windows"]).mean(1) > 150).all()
        assert (_median(tinted.images, tinted.masks["windows"]).mean(1) < 40).all()


def test_night_darkens_the_scene_and_leaves_the_car() -> None:
    day = _factors(8, time="day", headlights="off")
    light, dark = WORLD.render(day), WORLD.render(WORLD.with_values(day, {"time": "night"}))
    assert (
        _median(dark.images, dark.masks["time"]).mean(1) < 0.75 * _median(light.images, light.masks["time"]).mean(1)
    ).all()
    car = light.masks["body_color"] | light.masks["wheels"] | light.masks["windows"]
    assert torch.equal(light.images.movedim(1, -1)[car], dark.images.movedim(1, -1)[car])


def test_headlights_shine_yellow_in_front_of_the_car() -> None:
    off = _factors(8, time="night", headlights="off")
    dark, lit = WORLD.render(off), WORLD.render(WORLD.with_values(off, {"headlights": "on"}))
    nose = torch.tensor([int(torch.nonzero(columns)[-1]) for columns in _silhouette(dark)[0]])
    for picture, column in enumerate(nose):
        cone = lit.masks["headlights"][picture].clone()
        cone[:, : int(column) + 1] = False
        assert cone.sum() >= 20, "the beam is drawn large"
        color = (lit.images[picture][:, cone].median(1).values + 1) * 127.5
        assert color[:2].min() > 150 and color[2] < color[:2].min() - 30
        unlit = (dark.images[picture][:, cone].median(1).values + 1) * 127.5
        assert (unlit[:2] < color[:2] - 50).all()


def test_each_ground_has_its_colour() -> None:
    for value, test in {
        "grass": lambda c: c[1] > 1.2 * c[[0, 2]].max(),
        "snow": lambda c: c.min() > 170,
        "beach": lambda c: c[0] > c[1] > c[2] + 30,
        "road": lambda c: c.max() - c.min() < 20 and 60 < c.max() < 140,
    }.items():
        render = _render(ground=value, time="day", headlights="off")
        low = render.masks["ground"] & (torch.arange(64) >= 46)[:, None]
        assert all(test(c) for c in _median(render.images, low)), value


def test_backgrounds_are_green_trees_purple_mountains_and_the_busiest_of_all_a_city() -> None:
    seen = {v: _render(8, background=v, time="day") for v in ("city", "forest", "mountains")}
    trees, peaks = (_median(seen[v].images, seen[v].masks["background"]) for v in ("forest", "mountains"))
    assert (trees[:, 1] > 1.3 * trees[:, [0, 2]].max(1).values).all()
    assert (peaks[:, [0, 2]].min(1).values > peaks[:, 1] + 10).all()
    down = {v: (r.images.diff(dim=2).abs().mean(1) > 0.25) & r.masks["background"][:, 1:] for v, r in seen.items()}
    edges = {v: float(down[v].sum() / seen[v].masks["background"].sum()) for v in seen}
    assert edges["city"] > 2 * max(edges["forest"], edges["mountains"])


def test_body_types_differ_in_their_silhouette() -> None:
    drawn = {
        v: _render(8, body_type=v, spoiler="none", roof_rack="none") for v in ("sedan", "suv", "pickup", "convertible")
    }
    # Height of the body above its lowest row, per column from tail to nose, at a third and two thirds of its length.
    tails, tallest = {}, {}
    for value, render in drawn.items():
        body = render.masks["body_type"] | render.masks["windows"]
        height = torch.where(body.any(1), body.float().argmax(1).neg() + 64.0, torch.zeros(()))
        left = body.any(1).float().argmax(1)
        tails[value] = torch.stack([row[int(x) + 6] for row, x in zip(height, left, strict=True)])
        tallest[value] = height.max(1).values
    assert (tails["suv"] > tails["sedan"] + 2).all(), "an suv is tall to its tail"
    assert (tails["suv"] > tails["pickup"] + 5).all(), "a pickup has a bed there"
    assert (tallest["convertible"] < tallest["pickup"] - 2).all()


def test_a_convertible_has_no_roof_for_a_rack() -> None:
    column = WORLD.index("roof_rack")
    assert not _render(body_type="convertible").visible[:, column].any()
    for value in ("sedan", "suv", "pickup"):
        assert _render(24, body_type=value).visible[:, column].all()


def test_everything_but_the_rack_is_always_visible() -> None:
    render = _render(96, seed=9)
    for i, attribute in enumerate(WORLD.attributes):
        assert torch.equal(render.visible[:, i], render.masks[attribute.name].sum((1, 2)) >= MIN_VISIBLE_PIXELS)
        assert attribute.name == "roof_rack" or render.visible[:, i].float().mean() > 0.98, attribute.name


@pytest.mark.parametrize("name", IDENTITY)
def test_every_number_of_the_silhouette_shows_in_every_body_type(name: str) -> None:
    factors = WORLD.with_values(_factors(8, seed=5), {"spoiler": "none", "roof_rack": "none"})
    factors.attributes[:, WORLD.index("body_type")] = torch.arange(8) % 4
    low, high = factors.identity.clone(), factors.identity.clone()
    low[:, IDENTITY.index(name)], high[:, IDENTITY.index(name)] = 0.0, 1.0
    a, b = (WORLD.render(Factors(factors.attributes, i, factors.nuisance)) for i in (low, high))
    changed = ((a.images - b.images).abs().amax(1) > 0.25).flatten(1).sum(1)
    if name == "window_size":
        # An open car has only its windshield, which keeps its size.
        changed = changed[torch.arange(8) % 4 != 3]
    assert changed.min() >= 12
