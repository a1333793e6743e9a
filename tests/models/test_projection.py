"""Projection finds codes whose images match, one image at a time even in a batch."""

from __future__ import annotations

import pytest
import torch

from textedit_bench.models import Generator
from textedit_bench.models.projection import ProjectionSettings, project


@pytest.fixture(scope="module")
def generator() -> Generator:
    torch.manual_seed(0)
    network = Generator(16, z_dim=8, w_dim=8, n_mlp=2, channels={4: 8, 8: 8, 16: 8})
    network.estimate_w_mean(256)
    return network.eval().requires_grad_(False)


@pytest.mark.parametrize("space", ["w", "w+"])
def test_the_images_of_known_codes_are_found(generator, space):
    targets = generator.synthesize(generator.map(torch.randn(2, 8)))
    start = (generator.synthesize(generator.w_mean.expand(2, -1)) - targets).square().mean()
    found = project(generator, targets, ProjectionSettings(space=space, steps=60))
    assert found.w_plus.shape == (2, generator.num_rows, 8)
    assert (generator.synthesize(found.w_plus) - targets).square().mean() < 0.2 * start
    if space == "w":
        assert torch.equal(found.w_plus[:, 0], found.w_plus[:, -1])


def test_other_images_of_the_batch_do_not_matter(generator):
    targets = generator.synthesize(generator.map(torch.randn(2, 8)))
    settings = ProjectionSettings(steps=4)
    together, alone = project(generator, targets, settings), project(generator, targets[1:], settings)
    torch.testing.assert_close(together.w_plus[1:], alone.w_plus, rtol=0, atol=1e-4)


def test_rates_rise_and_fall():
    settings = ProjectionSettings(steps=100)
    rates = [settings.rate(step) for step in range(100)]
    assert rates[0] == 0 and max(rates) == pytest.approx(0.1) and rates[50] == pytest.approx(0.1)
    assert rates[99] < 0.002 and rates[2] == pytest.approx(0.04)


def test_wrong_sizes_are_refused(generator):
    with pytest.raises(ValueError, match=r"\(B, 3, 16, 16\)"):
        project(generator, torch.zeros(1, 3, 8, 8))
    with pytest.raises(ValueError, match="'w', 'w\\+'"):
        ProjectionSettings(space="s")  # type: ignore[arg-type]
