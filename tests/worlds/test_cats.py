"""The cat renderer's attributes are what it says, seen by an independent look at the pixels."""

from __future__ import annotations

import colorsys

import pytest
import torch
from torch import Tensor

from textedit_bench.worlds.cats import CatWorld
from textedit_bench.worlds.world import MIN_VISIBLE_PIXELS, Factors, Render

WORLD = CatWorld()
SPACE = WORLD.space
# What a person would call these colours, as hue in degrees.
FUR_HUES = {"orange": 30, "brown": 25}
EYE_HUES = {"green": 116, "blue": 214, "yellow": 48}


def _factors(count: int, seed: int = 0, **values: str) -> Factors:
    return WORLD.with_values(WORLD.sample(count, torch.Generator().manual_seed(seed)), values)


def _render(count: int = 6, seed: int = 0, **values: str) -> Render:
    return WORLD.render(_factors(count, seed, **values))


def _median(images: Tensor, mask: Tensor) -> Tensor:
    """Median colour in [0, 255] under a mask, per picture."""
    return torch.stack([(i[:, m].median(1).values + 1) * 127.5 for i, m in zip(images, mask, strict=True)])


def _hue(color: Tensor) -> float:
    return colorsys.rgb_to_hsv(*(color / 255).tolist())[0] * 360


@pytest.mark.parametrize("color", list(FUR_HUES))
def test_fur_pixels_have_the_hue_of_the_named_colour(color: str) -> None:
    render = _render(fur_color=color)
    for median in _median(render.images, render.masks["fur_color"]):
        assert abs(_hue(median) - FUR_HUES[color]) < 8


def test_fur_colours_are_told_apart_by_brightness_and_saturation() -> None:
    shades = {}
    for color in WORLD.attributes[WORLD.index("fur_color")].values:
        render = _render(8, fur_color=color)
        shades[color] = _median(render.images, render.masks["fur_color"])
    for color in ("black", "gray", "white"):
        assert float((shades[color].max(1).values - shades[color].min(1).values).max()) < 28
    brightness = {c: shades[c].mean(1) for c in shades}
    assert brightness["black"].max() < 75 < 115 < brightness["gray"].min()
    assert brightness["gray"].max() < 180 < brightness["white"].min()
    assert shades["brown"][:, 0].max() < 175 < shades["orange"][:, 0].min()


@pytest.mark.parametrize("color", list(EYE_HUES))
def test_irises_have_the_hue_of_the_named_colour(color: str) -> None:
    render = _render(eyes="open", eye_color=color)
    assert (render.masks["eye_color"].sum((1, 2)) >= 40).all(), "eyes are drawn large"
    for image, mask in zip(render.images, render.masks["eye_color"], strict=True):
        pixels = (image[:, mask].T + 1) * 127.5
        colored = pixels[(pixels.max(1).values - pixels.min(1).values) > 90]
        assert abs(_hue(colored.median(0).values) - EYE_HUES[color]) < 10


def test_closed_eyes_hide_their_colour() -> None:
    column = WORLD.index("eye_color")
    assert not _render(eyes="sleepy").visible[:, column].any()
    assert _render(eyes="open").visible[:, column].all()


def test_background_corners_show_the_named_colour() -> None:
    for color, order in {"blue": (2, 1, 0), "pink": (0, 2, 1), "yellow": (0, 1, 2)}.items():
        corners = _render(background=color, hat="none").images[:, :, 1:5, 1:5].mean((2, 3))
        assert (corners.argsort(1, descending=True) == torch.tensor(order)).all(), color


def test_the_ground_shows_its_colour_at_the_lower_edge() -> None:
    for ground, test in {
        "grass": lambda c: c[1] > 1.4 * max(c[0], c[2]),
        "cushion": lambda c: c[0] > 1.8 * max(c[1], c[2]),
        "basket": lambda c: 1.8 * c[1] > c[0] > 1.1 * c[1] > 1.2 * c[2],
    }.items():
        render = _render(ground=ground)
        sides = render.masks["ground"].clone()
        sides[:, :57] = False
        assert all(test(c) for c in _median(render.images, sides)), ground


def test_a_bell_is_golden_on_a_red_collar_and_a_bow_is_purple() -> None:
    counts = {}
    for value in ("none", "bell", "bow"):
        render = _render(8, seed=2, collar=value, ground="cushion", fur_color="gray", fur_length="short")
        r, g, b = ((render.images + 1) * 127.5)[:, :, 34:54, 16:48].unbind(1)
        counts[value] = {
            "gold": ((r > 200) & (g > 150) & (b < 90)).sum((1, 2)),
            "purple": ((b > 110) & (r > 70) & (r < 170) & (g < 70)).sum((1, 2)),
        }
    assert (counts["bell"]["gold"] >= 10).all()
    assert (counts["bow"]["purple"] >= 30).all()
    assert not counts["none"]["gold"].any() and not counts["none"]["purple"].any()
    assert not counts["bell"]["purple"].any() and not counts["bow"]["gold"].any()


def test_an_open_mouth_is_dark_and_a_tongue_is_pink() -> None:
    centres = {}
    for value in ("neutral", "meowing", "tongue"):
        render = _render(8, seed=4, expression=value, fur_color="gray")
        mouth = _render(8, seed=4, expression="meowing", fur_color="gray").masks["expression"]
        centres[value] = _median(render.images, mouth)
    assert (centres["meowing"][:, 1:] < 60).all()
    tongue = ((_render(8, seed=4, expression="tongue", fur_color="gray").images + 1) * 127.5).unbind(1)
    pink = (tongue[0] > 200) & (tongue[1] < 130) & (tongue[2] < 170)
    assert (pink[:, 30:52, 24:40].sum((1, 2)) >= 12).all()
    assert (centres["neutral"].mean(1) > centres["meowing"].mean(1) + 60).all()


def test_pointed_ears_stand_higher_than_folded_ones_and_long_fur_takes_more_room() -> None:
    def cat(**values: str) -> Tensor:
        return ~_render(8, seed=6, hat="none", ground="basket", **values).masks["background"][:, :44]

    rows = [cat(ears=ears).any(2).sum(1) for ears in ("pointy", "folded")]
    assert (rows[0] - rows[1] >= 3).all()
    areas = [cat(fur_length=length).sum((1, 2)) for length in ("fluffy", "short")]
    assert (areas[0] - areas[1] >= 60).all()


def test_marks_differ_in_shade_from_plain_fur_for_every_colour() -> None:
    for color in WORLD.attributes[WORLD.index("fur_color")].values:
        plain = _render(6, seed=7, fur_color=color, fur_pattern="plain")
        for pattern in ("striped", "spotted"):
            marked = _render(6, seed=7, fur_color=color, fur_pattern=pattern)
            difference = _median(plain.images, marked.masks["fur_pattern"]) - _median(
                marked.images, marked.masks["fur_pattern"]
            )
            assert (difference.abs().mean(1) > 25).all(), (color, pattern)


@pytest.mark.parametrize("column", range(len(SPACE.identity)), ids=SPACE.identity)
def test_every_identity_factor_moves_pixels(column: int) -> None:
    factors = _factors(8, seed=5, hat="none", ears="pointy", fur_pattern="striped", eyes="open", ground="cushion")
    low, high = factors.identity.clone(), factors.identity.clone()
    low[:, column], high[:, column] = 0.0, 1.0
    a, b = (WORLD.render(Factors(factors.attributes, i, factors.nuisance)).images for i in (low, high))
    assert (((a - b).abs().amax(1) > 0.25).flatten(1).sum(1) >= 20).all()


def test_an_attribute_under_six_pixels_is_not_visible() -> None:
    render = WORLD.render(_factors(64, seed=9))
    for i, attribute in enumerate(WORLD.attributes):
        enough = render.masks[attribute.name].flatten(1).sum(1) >= MIN_VISIBLE_PIXELS
        assert torch.equal(render.visible[:, i], enough)
    shares = render.visible.float().mean(0)
    assert float(shares[WORLD.index("eye_color")]) < 0.9, "closed eyes hide their colour"
    assert float(shares.min()) > 0.5
