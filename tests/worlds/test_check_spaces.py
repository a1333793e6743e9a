"""What `worlds check` measures of samples, codes and boundaries, on toys whose answers are known."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from textedit_bench.worlds.faces import FaceWorld
from textedit_methods.interfacegan.method import Boundary
from textedit_workshop.worlds import check_samples
from textedit_workshop.worlds.check_boundaries import STEP, leak
from textedit_workshop.worlds.check_codes import code_figures, path_figures, single_values
from textedit_workshop.worlds.check_samples import factor_figures, sample_figures
from textedit_workshop.worlds.embedding import FactorEmbedding
from textedit_workshop.worlds.figures import Figure, Sizes
from textedit_workshop.worlds.latent import LatentFactors
from textedit_workshop.worlds.training.generator import Z_DIM, new_generator
from textedit_workshop.worlds.training.mapping import SHAPES, set_mapping
from textedit_workshop.worlds.training.pool import FRESH_SEED

WORLD = FaceWorld()
LATENT = LatentFactors(WORLD.space, Z_DIM)


class Rendering:
    """A generator that draws exactly what its z stands for, or, where it is wrong, what half of it stands for."""

    z_dim, num_rows, wrong = Z_DIM, 1, False

    def map(self, z: Tensor) -> Tensor:
        return z

    def synthesize(self, z: Tensor) -> Tensor:
        factors = LATENT.factors(z)
        factors.attributes[:, WORLD.index("hat")] *= not self.wrong
        return WORLD.render(factors).images


def hat_or_none(images: Tensor) -> Tensor:
    """All attributes but the hat as 0; the hat as the pictures show it."""
    bare = WORLD.render(WORLD.with_values(LAST[0], {"hat": "none"})).images
    values = LAST[0].attributes.clone()
    values[:, WORLD.index("hat")] = ((images - bare).abs().amax((1, 2, 3)) > 1e-3).long()
    return values


LAST: list[Any] = []


def domain(generator: Any, **networks: Any) -> Any:
    return SimpleNamespace(generator=generator, device=torch.device("cpu"), network=networks.__getitem__)


def by_name(figures: list[Figure]) -> dict[str, float]:
    return {f.name: f.value for f in figures if f.value is not None}


def test_samples_equal_to_their_renders_agree_fully_and_a_lost_attribute_shows_in_its_line(monkeypatch):
    real = LatentFactors.factors

    def remembered(self: LatentFactors, z: Tensor) -> Any:
        LAST[:] = [real(self, z)]
        return real(self, z)

    monkeypatch.setattr(LatentFactors, "factors", remembered)
    monkeypatch.setattr(check_samples, "FID_OF_SHARP", {WORLD.name: 2.0})
    generator = Rendering()
    toy = domain(
        generator,
        oracle=SimpleNamespace(predict=hat_or_none),
        features=lambda images: images[:, :, ::32, ::32].flatten(1),
    )
    good = sample_figures(toy, WORLD, Sizes(samples=40))
    found = by_name(good)
    assert found["mean distance to renders of the same factors"] == 0.0
    assert found["oracle agreement with the factors, mean"] == 1.0
    (fid,) = [f for f in good if f.name == "FID to renders"]
    assert fid.bar == 3.0 and fid.at_most and not fid.aim
    generator.wrong = True
    found = by_name(sample_figures(toy, WORLD, Sizes(samples=40)))
    assert found["mean distance to renders of the same factors"] > 0.0
    assert found["oracle agreement with the factors, hat"] == pytest.approx(0.75, abs=0.2)
    assert found["oracle agreement with the factors, beard"] == 1.0


def test_pictures_at_the_codes_of_factors_are_read_as_these_factors_or_not():
    embedding, seen = FactorEmbedding(WORLD.space, 512), []
    vectors = WORLD.space.vector(WORLD.sample(40, torch.Generator().manual_seed(FRESH_SEED + 6)))

    def synthesize(w: Tensor) -> Tensor:
        seen.append(w)
        return w.clamp(-1.0, 1.0)

    def predict(images: Tensor) -> Tensor:
        assert torch.allclose(seen[-1], vectors @ embedding.matrix, atol=1e-5)
        return torch.full((len(images), len(WORLD.attributes)), 0)

    toy = domain(SimpleNamespace(synthesize=synthesize, w_dim=512), oracle=SimpleNamespace(predict=predict))
    mean, *each = factor_figures(toy, WORLD, Sizes(renders=40))
    assert mean.bar == 0.98 and not mean.aim
    drawn = WORLD.render(WORLD.sample(40, torch.Generator().manual_seed(FRESH_SEED + 6)))
    first = WORLD.sample(40, torch.Generator().manual_seed(FRESH_SEED + 6)).attributes[:, 0] == 0
    assert each[0].value == pytest.approx(float(first[drawn.visible[:, 0]].float().mean()))


class Plane:
    """Codes are pictures; attribute i is 1 where coordinate i is positive."""

    w_mean = torch.zeros(2)

    def synthesize(self, w: Tensor) -> Tensor:
        return w

    def predict(self, images: Tensor) -> Tensor:
        return (images > 0).long()


@pytest.mark.parametrize(
    ("normal", "expected"), [((1.0, 0.0), 0.0), ((0.5**0.5, 0.5**0.5), 1.0), ((0.6, -0.8), 0.0), ((0.96, 0.28), 0.42)]
)
def test_a_leak_is_the_share_of_edits_that_bring_the_other_value_too(normal, expected):
    plane: Any = Plane()
    codes = torch.rand(800, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
    boundary = Boundary(torch.tensor(normal), distance=1.5 / STEP)
    # Both coordinates are in [-1, 0] before; the step has length 1.5, so it brings the other for 1.5 * its share.
    share, count = leak(plane, plane, codes, boundary, (0, 1, 1, 1))
    assert share == pytest.approx(expected, abs=0.06)
    assert 0 < count <= 400


def test_codes_without_the_asked_value_missing_leave_no_share():
    plane: Any = Plane()
    share, count = leak(plane, plane, torch.ones(8, 2), Boundary(torch.tensor([1.0, 0.0]), 1.0), (0, 1, 1, 1))
    assert share != share and count == 0


def test_single_values_name_both_of_two_once_and_every_one_of_more():
    attributes = WORLD.sample(50, torch.Generator().manual_seed(0)).attributes
    values = single_values(WORLD, attributes)
    assert values.shape[1] == sum(len(a.values) if len(a.values) > 2 else 1 for a in WORLD.attributes)
    assert torch.equal(values[:, 0], attributes[:, WORLD.index("age")] == 1)


def test_softer_ramps_shorten_the_way_through_z():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)  # the bound does not hold for every random synthesis
        generator = new_generator().eval().requires_grad_(False)
    ratios = {}
    for shape in ("sharp", "soft"):
        set_mapping(generator, FactorEmbedding(WORLD.space, generator.w_dim), LATENT, SHAPES[shape])
        toy = domain(generator, perceptual=lambda a, b: (a - b).square().mean((1, 2, 3)))
        ratios[shape] = by_name(path_figures(toy, WORLD, Sizes(paths=30)))["path length, Z : W"]
    assert ratios["sharp"] > 3 * ratios["soft"]


def test_codes_that_say_every_value_by_itself_score_above_the_same_codes_turned():
    rotation = torch.linalg.qr(torch.randn(44, 44, generator=torch.Generator().manual_seed(3)))[0]

    def plain(z: Tensor) -> Tensor:
        return WORLD.space.vector(LATENT.factors(z))[:, :44]

    toy = domain(SimpleNamespace(z_dim=Z_DIM, map=plain, to_style=lambda w: w @ rotation))
    found = by_name(code_figures(toy, WORLD, Sizes(codes=800)))
    assert found["disentanglement of W"] > 0.95 > found["disentanglement of S"] + 0.3
    assert found["completeness of W"] > 0.7 > found["completeness of S"] + 0.3
    assert min(found["informativeness of W"], found["informativeness of S"]) > 0.9
