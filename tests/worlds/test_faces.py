"""The face renderer's attributes are what it says, seen by an independent look at the pixels."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from textedit_bench.worlds.faces import FaceWorld
from textedit_bench.worlds.world import Factors

WORLD = FaceWorld()
# What a person would call these colours, as hue in degrees, or None for shades without a hue.
HAIR_HUES = {"brown": 26, "blond": 46, "red": 14, "blue": 228}


def _factors(count: int, seed: int = 0, **values: str) -> Factors:
    factors = WORLD.sample(count, torch.Generator().manual_seed(seed))
    for name, value in values.items():
        i = WORLD.index(name)
        factors.attributes[:, i] = WORLD.attributes[i].values.index(value)
    return factors


def _median(images: Tensor, mask: Tensor) -> Tensor:
    """Median colour in [0, 255] under a mask, per picture."""
    return torch.stack([(i[:, m].median(1).values + 1) * 127.5 for i, m in zip(images, mask, strict=True)])


def _hue(color: Tensor) -> float:
    import colorsys

    return colorsys.rgb_to_hsv(*(color / 255).tolist())[0] * 360


@pytest.mark.parametrize("color", list(HAIR_HUES))
def test_hair_pixels_have_the_hue_of_the_named_colour(color: str) -> None:
    render = WORLD.render(_factors(6, hair_color=color, hair_style="long", hat="none"))
    for median in _median(render.images, render.masks["hair_color"]):
        difference = abs(_hue(median) - HAIR_HUES[color])
        assert difference < 10


def test_black_and_gray_hair_have_no_hue_and_differ_in_brightness() -> None:
    black, gray = (
        _median(r.images, r.masks["hair_color"])
        for r in (WORLD.render(_factors(6, hair_color=c, hair_style="long", hat="none")) for c in ("black", "gray"))
    )
    for medians in (black, gray):
        assert float((medians.max(1).values - medians.min(1).values).max()) < 25
    assert float(black.max()) < 50 < 110 < float(gray.min())


def test_background_corners_show_the_named_colour() -> None:
    dominant = {"blue": 2, "green": 1, "pink": 0}
    for color, channel in dominant.items():
        corner = WORLD.render(_factors(6, background=color, hat="none", hair_style="bald")).images[:, :, 2:8, 2:8]
        assert (corner.mean((2, 3)).argmax(1) == channel).all()


def test_clothes_show_the_named_colour() -> None:
    for color, test in {
        "white": lambda c: c.min() > 170,
        "black": lambda c: c.max() < 60,
        "red": lambda c: c[0] > 2.5 * c[1:].max(),
        "yellow": lambda c: c[:2].min() > 2 * c[2],
    }.items():
        render = WORLD.render(_factors(6, clothes=color))
        assert all(test(c) for c in _median(render.images, render.masks["clothes"]))


def test_sunglasses_darken_the_eyes_and_glasses_leave_them() -> None:
    bare, clear, dark = (
        WORLD.render(_factors(6, glasses=v, eye_size="big")) for v in ("none", "glasses", "sunglasses")
    )
    eyes = bare.masks["eye_size"]
    assert float(_median(dark.images, eyes).max()) < 60
    assert float((_median(clear.images, eyes) - _median(bare.images, eyes)).abs().max()) < 30
    assert not dark.visible[:, WORLD.index("eye_color")].any()
    assert bare.visible[:, WORLD.index("eye_color")].all()


def test_old_faces_have_darker_skin_lines() -> None:
    young, old = (
        WORLD.render(_factors(6, age=a, glasses="none", beard="none", makeup="none", hat="none"))
        for a in ("young", "old")
    )
    lines = old.masks["age"]
    assert (_median(old.images, lines) < _median(young.images, lines) - 15).all()


def test_a_smile_turns_the_corners_of_the_mouth_up_and_sadness_down() -> None:
    heights = {}
    for value in ("happy", "sad"):
        mask = WORLD.render(_factors(8, expression=value, beard="none")).masks["expression"].float()
        y = torch.arange(64.0)[None, :, None]
        x = torch.arange(64.0)[None, None, :]
        middle = (mask * x).sum((1, 2), keepdim=True) / mask.sum((1, 2), keepdim=True)
        corner = mask * ((x - middle).abs() > 3)
        centre = mask * ((x - middle).abs() < 2)
        heights[value] = (corner * y).sum((1, 2)) / corner.sum((1, 2)) - (centre * y).sum((1, 2)) / centre.sum((1, 2))
    assert (heights["happy"] < -0.5).all(), "rows count downwards"
    assert (heights["sad"] > 0.5).all()
