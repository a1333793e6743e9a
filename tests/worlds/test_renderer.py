"""The face renderer's attributes are what it says, seen by an independent look at the pixels."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from textedit_bench.worlds.faces import FaceWorld
from textedit_bench.worlds.factors import Factors

WORLD = FaceWorld()
SPACE = WORLD.space
# What a person would call these colours, as hue in degrees, or None for shades without a hue.
HAIR_HUES = {"brown": 26, "blond": 46, "red": 14, "blue": 228}


def _factors(count: int, seed: int = 0, **values: str) -> Factors:
    factors = WORLD.sample(count, torch.Generator().manual_seed(seed))
    for name, value in values.items():
        i = WORLD.index(name)
        factors.attributes[:, i] = WORLD.attributes[i].values.index(value)
    return factors


def _with(factors: Factors, name: str, index: int) -> Factors:
    attributes = factors.attributes.clone()
    attributes[:, WORLD.index(name)] = index
    return Factors(attributes, factors.identity, factors.nuisance)


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


@pytest.mark.parametrize("name", [a.name for a in WORLD.attributes])
def test_changing_an_attribute_changes_pixels_where_its_masks_say(name: str) -> None:
    factors = _factors(12, seed=3)
    count = len(WORLD.attributes[WORLD.index(name)].values)
    renders = [WORLD.render(_with(factors, name, value)) for value in range(count)]
    for first in range(count):
        for second in range(first):
            a, b = renders[first], renders[second]
            change = (a.images - b.images).abs().amax(1)
            masks = a.masks[name] | b.masks[name]
            # A mask holds pixels more than half covered; antialiased edges lie around it.
            near = torch.nn.functional.max_pool2d(masks.float()[:, None], 5, 1, 2)[:, 0] > 0
            # A hair style also uncovers what is behind it, and the neck takes the colour of the skin.
            if name not in ("hair_style", "skin"):
                assert not (change[~near] > 0.6).any(), f"{name}: pixels change outside of the masks"
            seen = a.visible[:, WORLD.index(name)] & b.visible[:, WORLD.index(name)]
            changed = ((change > 0.25) & near).flatten(1).sum(1)
            assert (changed[seen] >= 3).all(), f"{name}: visible values look alike"


def test_identity_changes_geometry_and_no_colour() -> None:
    factors = _factors(8, seed=5, glasses="none", hat="none", hair_style="long", beard="none")
    other = Factors(factors.attributes, 1 - factors.identity, factors.nuisance)
    a, b = WORLD.render(factors), WORLD.render(other)
    assert ((a.images - b.images).abs().amax(1) > 0.25).flatten(1).sum(1).min() > 40
    for name in ("hair_color", "skin", "clothes"):
        difference = (_median(a.images, a.masks[name]) - _median(b.images, b.masks[name])).abs()
        assert float(difference.max()) < 14, name


def test_attributes_leave_the_geometry() -> None:
    """Hair, glasses, clothes and background off the face do not move the mouth."""
    factors = _factors(8, seed=6, beard="none")
    mouth = WORLD.render(factors).masks["expression"]
    for name in ("hair_color", "clothes", "background", "glasses", "eye_color", "skin"):
        assert torch.equal(WORLD.render(_with(factors, name, 1)).masks["expression"], mouth), name


def test_rendering_is_deterministic_and_the_same_one_by_one() -> None:
    factors = _factors(7, seed=8)
    together = WORLD.render(factors)
    assert torch.equal(together.images, WORLD.render(factors).images)
    for i in range(len(factors)):
        alone = WORLD.render(factors[i : i + 1])
        torch.testing.assert_close(alone.images[0], together.images[i], atol=1e-5, rtol=0)
        assert torch.equal(alone.visible[0], together.visible[i])


def test_split_photos_are_a_function_of_split_and_index() -> None:
    first = WORLD.split_factors("evaluation", [5, 9])
    second = WORLD.split_factors("evaluation", [9])
    assert torch.equal(first.identity[1], second.identity[0])
    assert not torch.equal(second.identity, WORLD.split_factors("train", [9]).identity)


@pytest.mark.parametrize(
    ("own", "value", "other", "given"),
    [("hair_color", "gray", "age", "old"), ("earrings", "earrings", "makeup", "makeup")],
)
def test_intended_pairs_correlate_at_about_sixty_percent(own: str, value: str, other: str, given: str) -> None:
    drawn = WORLD.sample(20_000, torch.Generator().manual_seed(0)).attributes

    def shown(name: str, wanted: str) -> Tensor:
        i = WORLD.index(name)
        return (drawn[:, i] == WORLD.attributes[i].values.index(wanted)).float()

    correlation = torch.corrcoef(torch.stack([shown(own, value), shown(other, given)]))[0, 1]
    assert 0.55 < float(correlation) < 0.68


def test_an_attribute_under_six_pixels_is_not_visible() -> None:
    render = WORLD.render(_factors(64, seed=9))
    for i, attribute in enumerate(WORLD.attributes):
        assert torch.equal(render.visible[:, i], render.masks[attribute.name].flatten(1).sum(1) >= 6)
