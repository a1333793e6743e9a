"""The church renderer's attributes are what it says, seen by an independent look at the pixels."""

from __future__ import annotations

import colorsys

import pytest
import torch
from torch import Tensor

from textedit_bench.worlds.churches import ChurchWorld
from textedit_bench.worlds.embedding import FactorEmbedding
from textedit_bench.worlds.factors import Factors
from textedit_bench.worlds.training.generator import Z_DIM, new_generator
from textedit_bench.worlds.training.mapping import LatentFactors, set_mapping
from textedit_bench.worlds.world import MIN_VISIBLE_PIXELS, Render

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


def _with(factors: Factors, name: str, index: int) -> Factors:
    return WORLD.with_values(factors, {name: WORLD.attributes[WORLD.index(name)].values[index]})


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
            # A mask holds pixels more than half covered; antialiased edges and slivers lie around it.
            near = torch.nn.functional.max_pool2d(masks.float()[:, None], 5, 1, 2)[:, 0] > 0
            # The cross stands on whatever the tower ends in, and moves with it.
            if name != "tower_top":
                assert not (change[~near] > 0.7).any(), f"{name}: pixels change outside of the masks"
            seen = a.visible[:, WORLD.index(name)] & b.visible[:, WORLD.index(name)]
            changed = ((change > 0.25) & near).flatten(1).sum(1)
            assert seen.any()
            assert (changed[seen] >= 20).all(), f"{name}: visible values look alike"


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


def test_identity_changes_geometry_and_no_colour() -> None:
    factors = _factors(8, seed=5, snow="none")
    other = Factors(factors.attributes, 1 - factors.identity, factors.nuisance)
    a, b = WORLD.render(factors), WORLD.render(other)
    assert ((a.images - b.images).abs().amax(1) > 0.25).flatten(1).sum(1).min() > 60
    for name in ("roof", "door"):
        difference = (_median(a.images, a.masks[name]) - _median(b.images, b.masks[name])).abs()
        assert float(difference.max()) < 16, name


def test_attributes_leave_the_geometry() -> None:
    """Nothing but trees, which stand before the church, changes which pixels are door or panes."""
    factors = _factors(8, seed=6)
    before = WORLD.render(factors).masks
    for name in ("lights", "sky", "clouds", "snow", "walls", "roof", "tower_top", "tower_front", "door"):
        after = WORLD.render(_with(factors, name, 1)).masks
        assert torch.equal(before["door"], after["door"]), name
        assert torch.equal(before["lights"], after["lights"]), name


def test_rendering_is_deterministic_in_range_and_the_same_one_by_one() -> None:
    factors = _factors(7, seed=8)
    before = factors.identity.clone()
    together = WORLD.render(factors)
    assert torch.equal(factors.identity, before)
    assert together.images.dtype == torch.float32 and together.images.shape == (7, 3, 64, 64)
    assert float(together.images.abs().max()) <= 1.0
    assert torch.equal(together.images, WORLD.render(factors).images)
    for i in range(len(factors)):
        alone = WORLD.render(factors[i : i + 1])
        torch.testing.assert_close(alone.images[0], together.images[i], atol=1e-5, rtol=0)
        assert torch.equal(alone.visible[0], together.visible[i])


@pytest.mark.parametrize(
    ("own", "value", "other", "given"),
    [("sky", "night", "lights", "on"), ("snow", "snow", "clouds", "clouds")],
)
def test_intended_pairs_correlate_at_about_sixty_percent(own: str, value: str, other: str, given: str) -> None:
    drawn = WORLD.sample(20_000, torch.Generator().manual_seed(0)).attributes

    def shown(name: str, wanted: str) -> Tensor:
        i = WORLD.index(name)
        return (drawn[:, i] == WORLD.attributes[i].values.index(wanted)).float()

    correlation = torch.corrcoef(torch.stack([shown(own, value), shown(other, given)]))[0, 1]
    assert 0.55 < float(correlation) < 0.68


def test_every_attribute_is_visible_in_most_pictures_and_only_from_six_pixels_on() -> None:
    render = _render(64, seed=9)
    for i, attribute in enumerate(WORLD.attributes):
        enough = render.masks[attribute.name].flatten(1).sum(1) >= MIN_VISIBLE_PIXELS
        assert torch.equal(render.visible[:, i], enough)
    assert float(render.visible.float().mean(0).min()) > 0.9


def test_the_world_fits_the_closed_form_mapping_network() -> None:
    generator = new_generator(WORLD.resolution, WORLD.detail).eval()
    embedding, latent = FactorEmbedding(SPACE, generator.w_dim), LatentFactors(SPACE, Z_DIM)
    set_mapping(generator, embedding, latent)
    z = torch.randn(2_000, Z_DIM, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        # Ramps of finite steepness mix two values for a few z; nearly all are exact, up to the piecewise linear
        # distribution function of the continuous factors.
        error = (generator.map(z) - embedding.w(latent.factors(z))).abs().amax(1)
    assert float((error < 0.6).float().mean()) > 0.6
    assert float(error.median()) < 0.5
