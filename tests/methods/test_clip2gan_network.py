"""The mapping network and the noise: shapes for every number of rows, the scale of features, the published cosines."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from textedit_bench.errors import UserError
from textedit_methods.clip2gan.method import read_rows
from textedit_methods.clip2gan.network import ClipMapping, add_noise


@pytest.mark.parametrize(("rows", "values"), [(18, 7_617_024), (16, 7_091_712), (14, 6_566_400)])
def test_published_sizes_have_the_published_number_of_values(rows, values):
    with torch.device("meta"):
        network = ClipMapping(512, rows, 512)
        assert network(torch.empty(2, 512)).shape == (2, rows, 512)
    assert sum(p.numel() for p in network.parameters()) == values
    assert len(network.layers) == 12


@pytest.mark.parametrize("depth", [1, 4, 8, 16])
def test_depth_and_width_are_settings_that_the_file_keeps(depth):
    network = ClipMapping(8, 3, 6, depth=depth, hidden_dim=5)
    assert len(network.layers) == depth
    twin = ClipMapping.from_config(network.config)
    twin.load_state_dict(network.state_dict())
    features = torch.randn(4, 8)
    assert torch.equal(twin(features), network(features))
    assert network.config["hidden_dim"] == 5 and network.config["depth"] == depth


@given(st.floats(1e-2, 1e3))
@settings(max_examples=20, deadline=None)
def test_only_the_direction_of_a_feature_counts(length):
    torch.manual_seed(0)
    network = ClipMapping(8, 3, 6, depth=3)
    features = torch.randn(4, 8)
    assert torch.allclose(network(length * features), network(features), rtol=1e-4, atol=1e-5)
    unit = F.normalize(features, dim=-1)
    assert torch.allclose(network.offset(unit, unit_length=False), network.offset(features), atol=1e-5)


def test_the_output_by_hand():
    torch.manual_seed(0)
    network = ClipMapping(4, 2, 3, depth=2)
    network.w_mean.copy_(torch.arange(3.0))
    feature = torch.randn(1, 4)
    x = feature[0] / feature.norm() * 2  # sqrt(4)
    first, last = network.layers
    hidden = first.weight @ x + first.bias
    hidden = torch.where(hidden > 0, hidden, 0.2 * hidden)
    offset = (last.weight @ hidden + last.bias).view(2, 3)
    assert torch.allclose(network.offset(feature)[0], offset, atol=1e-6)
    assert torch.allclose(network(feature)[0], offset + torch.arange(3.0), atol=1e-6)
    network.final_activation = True
    assert torch.allclose(network.offset(feature)[0], F.leaky_relu(offset, 0.2), atol=1e-6)


def test_training_starts_near_the_mean_picture():
    torch.manual_seed(0)
    network = ClipMapping(64, 10, 64)
    assert 0.02 < network.offset(torch.randn(50, 64)).std() < 0.3


def test_features_of_another_width_are_refused():
    with pytest.raises(ValueError, match=r"\[B, 8\]"):
        ClipMapping(8, 3, 6)(torch.zeros(2, 9))


# cosines measured on 512 numbers of CLIP features: of length 10.36 as they are, and of length 1
@pytest.mark.parametrize(
    ("kind", "length", "cosine"),
    [
        ("multiplicative", 10.36, 0.86),
        ("multiplicative", 1.0, 0.86),
        ("additive_literal", 10.36, 0.36),
        ("additive_literal", 1.0, 0.04),
        ("additive_rms", 10.36, 0.86),
        ("additive_rms", 1.0, 0.86),
    ],
)
def test_cosines_of_the_three_noises(kind, length, cosine):
    torch.manual_seed(0)
    features = F.normalize(torch.randn(400, 512), dim=-1) * length
    noisy = add_noise(features, kind, 0.6, torch.Generator().manual_seed(1))
    assert F.cosine_similarity(features, noisy).mean().item() == pytest.approx(cosine, abs=0.02)


def test_multiplicative_noise_has_mean_and_deviation_of_the_paper():
    noisy = add_noise(torch.ones(1, 200_000), "multiplicative", 0.6, torch.Generator().manual_seed(1))
    assert noisy.mean().item() == pytest.approx(1.0, abs=0.01)
    assert noisy.var().item() == pytest.approx(0.36, abs=0.01)


def test_noise_repeats_with_its_seed_and_differs_between_rows():
    features = torch.ones(3, 16)
    first, same, other = (
        add_noise(features, "multiplicative", 0.6, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, same) and not torch.equal(first, other)
    assert not torch.equal(first[0], first[1])
    assert torch.equal(add_noise(features, "none", 0.6, torch.Generator()), features)


@given(st.sets(st.integers(0, 17), min_size=1))
def test_rows_are_read_back(rows):
    assert read_rows(",".join(map(str, sorted(rows))), 18) == sorted(rows)


@given(st.integers(0, 17), st.integers(0, 17))
def test_ranges_hold_both_ends(a, b):
    low, high = min(a, b), max(a, b)
    assert read_rows(f"{low}-{high}", 18) == list(range(low, high + 1))


@pytest.mark.parametrize("text", ["18", "3-1", "a", "1,,2", "-1", "0-18", "1.5"])
def test_rows_that_do_not_exist_are_refused(text):
    with pytest.raises(UserError, match="rows or ranges from 0 to 17"):
        read_rows(text, 18)


def test_no_rows_means_all():
    assert read_rows(" ", 4) == [0, 1, 2, 3]
    assert math.prod(read_rows("1-3", 4)) == 6


def test_the_rest_has_the_covariance_of_what_features_do_not_tell():
    from textedit_methods.clip2gan.codes import fit_rest

    torch.manual_seed(0)
    network = ClipMapping(8, 2, 3, depth=2, rest_rank=2)
    network.layers[-1].weight.data.zero_()  # features tell nothing: all spread is rest
    features = torch.randn(4000, 8)
    hidden = torch.randn(4000, 2) @ torch.tensor([[3.0, 0, 0, 0, 0, 0], [0, 0, 1.0, 0, 0, 0]])
    codes = network(features).detach() + hidden.view(-1, 2, 3) + 5.0  # a common shift is no spread
    assert fit_rest(network, features, codes) == pytest.approx(1.0, abs=1e-6)
    drawn = network.rest(torch.randn(20_000, 2)).flatten(1)
    assert drawn.std(0)[[0, 2]].tolist() == pytest.approx([3.0, 1.0], rel=0.06)
    assert drawn[:, [1, 3, 4, 5]].abs().max() < 1e-4
