"""What every renderer promises, whatever it draws: masks, identity, correlations, determinism."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor

from textedit_bench.worlds.cars import CarWorld
from textedit_bench.worlds.cats import CatWorld
from textedit_bench.worlds.churches import ChurchWorld
from textedit_bench.worlds.faces import FaceWorld
from textedit_bench.worlds.world import MIN_VISIBLE_PIXELS, Factors, World
from textedit_workshop.worlds.catalogue import every_world
from textedit_workshop.worlds.codes import FactorCodes
from textedit_workshop.worlds.embedding import FactorEmbedding
from textedit_workshop.worlds.latent import LatentFactors
from textedit_workshop.worlds.training.generator import Z_DIM, new_generator
from textedit_workshop.worlds.training.mapping import SHAPES, set_mapping


@dataclass(frozen=True)
class Traits:
    """What differs between the worlds.

    Attributes:
        world: the world.
        spreads: attributes whose change shows outside of their masks as well, and why in a comment beside them.
        outside: a larger change than this may not lie outside of the masks, but for ``slivers`` pixels.
        least: pixels that two visible values differ in, at least.
        geometry: attributes under which geometry is compared, so that nothing lies over it.
        moved: pixels that another identity changes, at least.
        colours: attribute -> how far its median colour may move with the identity, of 255 (shades and light depend on
            the place: the smaller the part, the more).
        fixed: what no attribute of ``unmoving`` moves, as mask names.
        unmoving: attributes that leave the geometry.
        over: values under which ``fixed`` is compared.
        correlated: (attribute, value, attribute, value) that go together in about 60 % of the pictures.
        mapping_error: median distance of w to the factors it should stand for; dependent attributes cost.
    """

    world: World
    spreads: tuple[str, ...]
    outside: float
    slivers: int
    least: int
    geometry: Mapping[str, str]
    moved: int
    colours: Mapping[str, float]
    fixed: tuple[str, ...]
    unmoving: tuple[str, ...]
    correlated: tuple[tuple[str, str, str, str], ...]
    mapping_error: float
    over: Mapping[str, str] = field(default_factory=dict)


EVERY = [
    Traits(
        FaceWorld(),
        spreads=("hair_style", "skin"),  # it uncovers what is behind it; the neck takes the colour of the skin
        outside=0.6,
        slivers=0,
        least=3,
        geometry={"glasses": "none", "hat": "none", "hair_style": "long", "beard": "none"},
        moved=40,
        colours={"hair_color": 14, "skin": 14, "clothes": 14},
        fixed=("expression",),
        unmoving=("hair_color", "clothes", "background", "glasses", "eye_color", "skin"),
        over={"beard": "none"},
        correlated=(("hair_color", "gray", "age", "old"), ("earrings", "earrings", "makeup", "makeup")),
        mapping_error=0.15,
    ),
    Traits(
        CatWorld(),
        spreads=("fur_color",),  # marks, muzzle and lines take shades that go with the fur
        outside=0.6,
        slivers=0,
        least=20,
        geometry={},
        moved=60,
        colours={"fur_color": 14, "background": 14},
        fixed=("eyes",),
        unmoving=("fur_color", "fur_pattern", "background", "ground", "eye_color", "collar", "expression", "hat"),
        over={"eyes": "open"},
        correlated=(("fur_color", "white", "fur_length", "fluffy"), ("ground", "cushion", "eyes", "sleepy")),
        mapping_error=0.15,
    ),
    Traits(
        ChurchWorld(),
        spreads=("tower_top",),  # the cross stands on whatever the tower ends in, and moves with it
        outside=0.7,
        slivers=0,
        least=20,
        geometry={"snow": "none"},
        moved=60,
        colours={"roof": 16, "door": 16},
        fixed=("door", "lights"),
        unmoving=("lights", "sky", "clouds", "snow", "walls", "roof", "tower_top", "tower_front", "door"),
        correlated=(("sky", "night", "lights", "on"), ("snow", "snow", "clouds", "clouds")),
        mapping_error=0.5,
    ),
    Traits(
        CarWorld(),
        spreads=("body_type",),  # another body also moves its windows, wing and luggage
        outside=0.6,
        slivers=4,  # where two half-covering parts meet a few pixels may be in no mask
        least=10,
        geometry={"stripes": "none"},
        moved=100,
        colours={"body_color": 24, "windows": 45},
        fixed=("body_type",),
        unmoving=("body_color", "time", "ground", "background", "wheels", "windows"),
        over={"spoiler": "none", "stripes": "none", "roof_rack": "none"},
        correlated=(("headlights", "on", "time", "night"), ("stripes", "stripes", "spoiler", "spoiler")),
        mapping_error=0.15,
    ),
]
each_world = pytest.mark.parametrize("traits", EVERY, ids=lambda traits: traits.world.name)


def drawn(world: World, count: int, seed: int, values: Mapping[str, str]) -> Factors:
    return world.with_values(world.sample(count, torch.Generator().manual_seed(seed)), values)


def changed(world: World, factors: Factors, name: str, value: int) -> Factors:
    return world.with_values(factors, {name: world.attributes[world.index(name)].values[value]})


def median(images: Tensor, mask: Tensor) -> Tensor:
    """Median colour in [0, 255] under a mask, per picture."""
    return torch.stack([(i[:, m].median(1).values + 1) * 127.5 for i, m in zip(images, mask, strict=True)])


def test_no_world_is_forgotten_here():
    assert [traits.world.name for traits in EVERY] == [world.name for world in every_world()]


@pytest.mark.parametrize(
    ("traits", "name"),
    [(traits, attribute.name) for traits in EVERY for attribute in traits.world.attributes],
    ids=lambda value: value if isinstance(value, str) else value.world.name,
)
def test_changing_an_attribute_changes_pixels_where_its_masks_say(traits, name):
    world = traits.world
    factors = drawn(world, 12, 3, {})
    column = world.index(name)
    renders = [world.render(changed(world, factors, name, v)) for v in range(len(world.attributes[column].values))]
    for first, a in enumerate(renders):
        for b in renders[:first]:
            change = (a.images - b.images).abs().amax(1)
            # A mask holds pixels more than half covered; antialiased edges lie around it.
            masks = (a.masks[name] | b.masks[name]).float()[:, None]
            near = torch.nn.functional.max_pool2d(masks, 5, 1, 2)[:, 0] > 0
            if name not in traits.spreads:
                outside = ((change > traits.outside) & ~near).flatten(1).sum(1)
                assert outside.max() <= traits.slivers, f"{name}: pixels change outside of the masks"
            seen = a.visible[:, column] & b.visible[:, column]
            alike = ((change > 0.25) & near).flatten(1).sum(1) < traits.least
            assert not (alike & seen).any(), f"{name}: visible values look alike"


@each_world
def test_identity_changes_geometry_and_no_colour(traits):
    world = traits.world
    factors = drawn(world, 8, 5, traits.geometry)
    a, b = world.render(factors), world.render(Factors(factors.attributes, 1 - factors.identity, factors.nuisance))
    assert ((a.images - b.images).abs().amax(1) > 0.25).flatten(1).sum(1).min() > traits.moved
    for name, tolerance in traits.colours.items():
        difference = (median(a.images, a.masks[name]) - median(b.images, b.masks[name])).abs()
        assert float(difference.max()) < tolerance, name


@each_world
def test_attributes_leave_the_geometry(traits):
    factors = drawn(traits.world, 8, 6, traits.over)
    before = traits.world.render(factors).masks
    for name in traits.unmoving:
        after = traits.world.render(changed(traits.world, factors, name, 1)).masks
        assert all(torch.equal(after[part], before[part]) for part in traits.fixed), name


@each_world
def test_rendering_is_deterministic_in_range_and_the_same_one_by_one(traits):
    world = traits.world
    factors = drawn(world, 7, 8, {})
    before = factors.identity.clone()
    together = world.render(factors)
    assert torch.equal(factors.identity, before)
    assert together.images.dtype == torch.float32 and together.images.shape == (7, 3, 64, 64)
    assert float(together.images.abs().max()) <= 1.0
    assert torch.equal(together.images, world.render(factors).images)
    for i in range(len(factors)):
        alone = world.render(factors[i : i + 1])
        torch.testing.assert_close(alone.images[0], together.images[i], atol=1e-5, rtol=0)
        assert torch.equal(alone.visible[0], together.visible[i])


@each_world
def test_split_photos_are_a_function_of_split_and_index(traits):
    first = traits.world.split_factors("evaluation", [5, 9])
    second = traits.world.split_factors("evaluation", [9])
    assert torch.equal(first.identity[1], second.identity[0])
    assert not torch.equal(second.identity, traits.world.split_factors("train", [9]).identity)


@each_world
def test_intended_pairs_correlate_at_about_sixty_percent_and_no_others(traits):
    world = traits.world
    values = world.sample(20_000, torch.Generator().manual_seed(0)).attributes

    def shown(name: str, wanted: str) -> Tensor:
        i = world.index(name)
        return (values[:, i] == world.attributes[i].values.index(wanted)).float()

    intended = set()
    for own, value, other, given in traits.correlated:
        correlation = torch.corrcoef(torch.stack([shown(own, value), shown(other, given)]))[0, 1]
        assert 0.55 < float(correlation) < 0.68
        intended.add(frozenset((own, other)))
    for i, first in enumerate(world.attributes):
        for j, second in enumerate(world.attributes[:i]):
            if frozenset((first.name, second.name)) in intended:
                continue
            table = torch.zeros(len(first.values), len(second.values))
            table.index_put_((values[:, i], values[:, j]), torch.ones(len(values)), accumulate=True)
            joint = table / table.sum()
            independent = joint.sum(1, keepdim=True) * joint.sum(0)
            assert float((joint - independent).abs().max()) < 0.015, (first.name, second.name)


@each_world
def test_an_attribute_is_visible_from_six_pixels_on(traits):
    render = traits.world.render(drawn(traits.world, 64, 9, {}))
    for i, attribute in enumerate(traits.world.attributes):
        enough = render.masks[attribute.name].flatten(1).sum(1) >= MIN_VISIBLE_PIXELS
        assert torch.equal(render.visible[:, i], enough)


@each_world
def test_the_world_fits_the_closed_form_mapping_network(traits):
    world = traits.world
    generator = new_generator(world.resolution, world.detail).eval()
    embedding, latent = FactorEmbedding(world.space, generator.w_dim), LatentFactors(world.space, Z_DIM)
    set_mapping(generator, embedding, latent, SHAPES["sharp"])
    z = torch.randn(2_000, Z_DIM, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        # Ramps of finite steepness mix two values for a few z; nearly all are exact, up to the piecewise linear
        # distribution function of the continuous factors.
        error = (generator.map(z) - embedding.w(latent.factors(z))).abs().amax(1)
    assert float(error.median()) < traits.mapping_error


@each_world
def test_normal_numbers_and_latents_of_given_factors_stand_for_those_factors(traits):
    space = traits.world.space
    wanted = space.sample(3_000, torch.Generator().manual_seed(1))
    stream = torch.Generator().manual_seed(2)
    latent = LatentFactors(space, Z_DIM)
    normal, z = space.to_normal(wanted, stream), latent.z(wanted, stream)
    torch.testing.assert_close(z.square().mean(1), torch.ones(len(z)), atol=1e-4, rtol=0)
    for found in (space.from_normal(normal), latent.factors(z)):
        assert torch.equal(found.attributes, wanted.attributes)
        torch.testing.assert_close(found.identity, wanted.identity, atol=1e-4, rtol=0)
        torch.testing.assert_close(found.nuisance, wanted.nuisance, atol=1e-4, rtol=0)
    # Factors drawn at random give numbers that are normal again, whatever depends on what.
    assert float(normal.mean(0).abs().max()) < 0.1
    assert float((normal.std(0) - 1).abs().max()) < 0.1


@each_world
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_the_mapping_keeps_w_at_unit_variance_and_codes_near_what_stands_for_the_same(traits, shape):
    world = traits.world
    generator = new_generator(world.resolution, world.detail).eval()
    set_mapping(
        generator, FactorEmbedding(world.space, generator.w_dim), LatentFactors(world.space, Z_DIM), SHAPES[shape]
    )
    codes = FactorCodes(world.space, generator)
    factors = world.sample(500, torch.Generator().manual_seed(1))
    first = codes.w(factors)
    assert 0.75 < float(first.std(0).square().mean().sqrt()) < 1.25
    noise = codes.noise(200, 3, torch.Generator().manual_seed(6))
    assert noise.shape == (200, 3, generator.w_dim) and not torch.equal(noise[:, 0], noise[:, 1])
    spread = first.double() - first.double().mean(0)
    assert float((noise.reshape(-1, generator.w_dim).double() @ spread.T).abs().max()) < 1e-3


def test_soft_ramps_mix_values_for_many_latents_and_sharp_ones_for_few():
    world = EVERY[0].world
    latent, generator = LatentFactors(world.space, Z_DIM), new_generator().eval()
    embedding = FactorEmbedding(world.space, generator.w_dim)
    z = torch.randn(2_000, Z_DIM, generator=torch.Generator().manual_seed(0))
    column = sum(len(a.values) for a in world.attributes[: world.index("beard")])
    mixed = {}
    for name in ("sharp", "soft"):
        set_mapping(generator, embedding, latent, SHAPES[name])
        with torch.no_grad():
            one_hot = (generator.map(z) @ embedding.matrix.T)[:, column] / 4.0 / 2.0**0.5 + 0.5
        mixed[name] = float(((one_hot > 0.02) & (one_hot < 0.98)).float().mean())
    # A ramp of 1 / sharpness around the threshold, times the density there; beards: 0.36 per standard deviation.
    assert mixed["sharp"] == pytest.approx(0.36 / 30, abs=0.01)
    assert mixed["soft"] == pytest.approx(0.36 / SHAPES["soft"].sharpness, abs=0.03)
