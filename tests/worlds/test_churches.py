"""The church renderer's attributes are what it says, seen by an independent look at the pixels."""

from __future__ import annotations

import colorsys

import pytest
import torch
from torch import Tensor

from textedit_bench.worlds.churches import ChurchWorld
from textedit_bench.worlds.world import MIN_VISIBLE_PIXELS, Factors, Render

WORLD = ChurchWorld()
SPACE = WORLD.space
# What a person would call these colours, as hue in degrees.
HUES = {
    ("roof", "red"): 3,
    ("roof", "blue"): 225,
    ("roof", "green"): 156,
    ("door", "red"): 355,
    ("door", "blue"): 225,
    ("door", "brown"): 25,
    ("walls", "brick"): 6,
    ("walls", "wood"): 32,
}


def _factors(count: int, seed: int = 0, **values: str) -> Factors:
    return WORLD.with_values(WORLD.sample(count, torch.Generator().manual_seed(seed)), values)


def _render(count: int = 6, seed: int = 0, **values: str) -> Render:
    return WORLD.render(_factors(count, seed, **values))


def _median(images: Tensor, mask: Tensor) -> Tensor:
    """Median colour in [0, 255] under a mask, per picture."""
    return torch.stack([(i[:, m].median(1).values + 1) * 127.5 for i, m in zip(images, mask, strict=True)])


def _hue(color: Tensor) -> float:
    return colorsys.rgb_to_hsv(*(color / 255).tolist())[0] * 360


@pytest.mark.parametrize(("name", "value"), list(HUES))
def test_pixels_have_the_hue_of_the_named_colour(name: str, value: str) -> None:
    render = _render(6, 0, snow="none", **{name: value})
    for median in _median(render.images, render.masks[name]):
        difference = (_hue(median) - HUES[name, value] + 180) % 360 - 180
        assert abs(difference) < 8


def test_stone_is_gray_white_is_bright_and_a_black_roof_dark() -> None:
    stone, white = (_median(r.images, r.masks["walls"]) for r in (_render(8, walls="stone"), _render(8, walls="white")))
    roof = _render(8, roof="black", snow="none")
    black = _median(roof.images, roof.masks["roof"])
    for shade in (stone, white, black):
        assert float((shade.max(1).values - shade.min(1).values).max()) < 25
    assert black.max() < 60 < 90 < stone.min()
    assert stone.max() + 15 < white.min()


def test_the_upper_corners_tell_day_sunset_and_night_apart() -> None:
    corners = {
        sky: (_render(8, sky=sky, clouds="none").images[:, :, 1:4, 26:38].mean((2, 3)) + 1) * 127.5
        for sky in ("day", "sunset", "night")
    }
    assert (corners["day"][:, 2] > 180).all() and (corners["day"].argsort(1)[:, 0] == 0).all()
    assert (corners["sunset"].argsort(1)[:, 0] == 1).all() and (corners["sunset"][:, 0] > 100).all()
    assert (corners["night"][:, :2] < 45).all()


def test_lights_turn_dark_panes_yellow() -> None:
    off, on = _render(8, lights="off"), _render(8, lights="on")
    assert torch.equal(off.masks["lights"], on.masks["lights"])
    assert (_median(off.images, off.masks["lights"]) < 90).all()
    lit = _median(on.images, on.masks["lights"])
    assert (lit[:, :2] > 180).all() and (lit[:, 2] < 130).all()


def test_round_windows_are_about_as_wide_as_tall_and_arched_ones_taller() -> None:
    for value, low, high in (("round", 0.78, 1.27), ("arched", 1.29, 4.0)):
        # A tower far to the left leaves the nearest window on its right free of trees and of the nave's end.
        factors = _factors(8, windows=value, trees="none")
        factors.identity[:, SPACE.identity.index("tower_side")] = 0.0
        factors.identity[:, SPACE.identity.index("nave_width")] = 1.0
        render = WORLD.render(factors)
        for mask in render.masks["lights"]:
            columns = mask.any(0)
            columns[:26] = False
            start = int(columns.int().argmax())
            width = int(columns[start:].int().argmin())
            height = int(mask[:, start : start + width].any(1).sum())
            assert low < height / width < high, value


def test_snow_whitens_lawn_and_roof_and_leaves_some_roof_to_see() -> None:
    green, white = _render(8, snow="none"), _render(8, snow="snow")
    lawn = green.masks["snow"].clone()
    lawn[:, :58] = False
    grass, snow = _median(green.images, lawn), _median(white.images, lawn)
    assert (grass.argmax(1) == 1).all()
    assert (snow.min(1).values > 190).all()
    roof = WORLD.index("roof")
    assert white.visible[:, roof].all()
    assert (white.masks["roof"].sum((1, 2)) < 0.8 * green.masks["roof"].sum((1, 2))).all()


def test_a_steeple_narrows_a_dome_bulges_and_battlements_carry_the_wall_colour() -> None:
    share = {}
    for value in ("steeple", "dome", "flat"):
        render = _render(8, seed=3, tower_top=value, snow="none", walls="white", roof="red")
        mask = render.masks["tower_top"]
        widths = [m.sum(1)[m.any(1)].float() for m in mask]
        share[value] = torch.stack([w[: len(w) // 2].mean() / w.max() for w in widths])
        red = _median(render.images, mask)
        assert ((red[:, 0] > 2 * red[:, 1]) == (value != "flat")).all(), value
    assert (share["steeple"] + 0.1 < share["dome"]).all()


def test_a_clock_is_white_with_dark_hands_and_a_rose_is_pink_and_blue() -> None:
    clock, rose, plain = (_render(8, tower_front=v, walls="brick") for v in ("clock", "rose", "plain"))
    face = clock.masks["tower_front"]
    assert torch.equal(face, plain.masks["tower_front"]), "a plain tower shows that there is nothing"
    for image, mask in zip(clock.images, face, strict=True):
        pixels = (image[:, mask] + 1) * 127.5
        assert (pixels.min(0).values > 180).sum() >= 15
        assert (pixels.max(0).values < 110).sum() >= 10
    for image, mask in zip(rose.images, face, strict=True):
        r, g, b = (image[:, mask] + 1) * 127.5
        assert ((r > 150) & (g < 90) & (b > 90)).sum() >= 8
        assert ((b > 150) & (r < 120)).sum() >= 8


@pytest.mark.parametrize("column", range(len(SPACE.identity)), ids=SPACE.identity)
def test_every_identity_factor_moves_pixels(column: int) -> None:
    # White walls, a red roof and dark panes, so that every edge has contrast.
    values = {"walls": "white", "roof": "red", "lights": "off", "snow": "none", "trees": "none", "sky": "day"}
    factors = _factors(8, seed=5, tower_top="steeple", windows="round", clouds="none", **values)
    # The tower to one side and a long nave: room for a second window, whose place shows the spacing.
    factors.identity[:, SPACE.identity.index("tower_side")] = 0.1
    factors.identity[:, SPACE.identity.index("nave_width")] = 0.9
    low, high = factors.identity.clone(), factors.identity.clone()
    low[:, column], high[:, column] = 0.0, 1.0
    a, b = (WORLD.render(Factors(factors.attributes, i, factors.nuisance)).images for i in (low, high))
    assert (((a - b).abs().amax(1) > 0.25).flatten(1).sum(1) >= 12).all()


def test_every_attribute_is_visible_in_most_pictures_and_only_from_six_pixels_on() -> None:
    render = _render(64, seed=9)
    for i, attribute in enumerate(WORLD.attributes):
        enough = render.masks[attribute.name].flatten(1).sum(1) >= MIN_VISIBLE_PIXELS
        assert torch.equal(render.visible[:, i], enough)
    assert float(render.visible.float().mean(0).min()) > 0.9
