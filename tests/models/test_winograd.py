"""Minimal filtering against the convolution it stands for."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from textedit_bench.models import winograd
from textedit_bench.models.stylegan2 import Generator


def test_the_matrices_correlate_exactly():
    output, weights, data = winograd.toom_cook()
    samples, taps = torch.randn(6, dtype=torch.float64), torch.randn(3, dtype=torch.float64)
    expected = samples.unfold(0, 3, 1) @ taps
    torch.testing.assert_close(output @ ((weights @ taps) * (data @ samples)), expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("strip", [1, 5, 512])
@pytest.mark.parametrize("shape", [(1, 16, 16), (2, 8, 20), (1, 4, 4)])
def test_values_and_gradients_are_the_direct_convolution(shape, strip, monkeypatch):
    monkeypatch.setattr(winograd, "STRIP", strip)
    batch, height, width = shape
    x = torch.randn(batch, 7, height, width, requires_grad=True)
    weight = torch.randn(5, 7, 3, 3)
    cotangent = torch.randn(batch, 5, height, width)
    expected = F.conv2d(x.double(), weight.double(), padding=1)
    (wanted,) = torch.autograd.grad((expected * cotangent).sum(), x)
    made = winograd.convolve(x, winograd.transform_weights(weight))
    (got,) = torch.autograd.grad((made * cotangent).sum(), x)
    torch.testing.assert_close(made.double(), expected, atol=2e-4, rtol=0)
    torch.testing.assert_close(got.double(), wanted.double(), atol=2e-4, rtol=0)


def test_the_error_is_of_the_size_of_a_sum_in_float32():
    """Against a bound of rounding, not the direct convolution of this machine.

    Its error differs fourfold with the instructions that its processor has (2.1e-7 with AVX-512, 7.9e-7 with AVX2; ours
    1.5e-6 with both).
    """
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, 256, 16, 16, generator=generator)
    weight = torch.randn(256, 256, 3, 3, generator=generator) / 48.0
    exact = F.conv2d(x.double(), weight.double(), padding=1)
    made = winograd.convolve(x, winograd.transform_weights(weight))
    error = (made.double() - exact).square().mean().sqrt()
    terms = weight[0].numel()
    assert error < 2**-24 * terms**0.5 * exact.square().mean().sqrt()  # each addition rounds once, errors as they fall


def test_a_generator_gives_the_same_picture_either_way(monkeypatch):
    torch.manual_seed(0)
    generator = Generator(32, z_dim=8, w_dim=8, n_mlp=1, channels={4: 256, 8: 256, 16: 256, 32: 256})
    generator.eval().requires_grad_(False)
    codes = torch.randn(2, generator.num_rows, 8, requires_grad=True)
    pictures, gradients = [], []
    for least in (256, 10_000):
        monkeypatch.setattr(winograd, "MIN_CHANNELS", least)
        made = generator.synthesize(codes)
        pictures.append(made.detach())
        gradients.append(torch.autograd.grad(made.square().sum(), codes)[0])
    assert not torch.equal(*pictures)  # the two ways were indeed taken
    torch.testing.assert_close(*pictures, atol=2e-5 * float(pictures[1].std()), rtol=0)
    torch.testing.assert_close(*gradients, atol=1e-4 * float(gradients[1].std()), rtol=0)


def test_transformed_weights_follow_the_weights():
    torch.manual_seed(0)
    generator = Generator(16, z_dim=8, w_dim=8, n_mlp=1, channels={4: 256, 8: 256, 16: 256})
    generator.eval().requires_grad_(False)
    codes = torch.randn(1, generator.num_rows, 8)
    before = generator.synthesize(codes)
    generator.convs[3].conv.weight.mul_(-1.0)
    after = generator.synthesize(codes)
    fresh = Generator.from_config(generator.config).eval().requires_grad_(False)
    fresh.load_state_dict(generator.state_dict())
    assert torch.equal(after, fresh.synthesize(codes)) and not torch.equal(before, after)


@pytest.mark.parametrize(
    "case", ["grad", "double", "narrow", "small", "odd", "kernel"], ids=lambda case: f"not for {case}"
)
def test_where_it_does_not_apply(case):
    x, weight = torch.zeros(1, 256, 16, 16), torch.zeros(256, 256, 3, 3)
    assert winograd.applies(x, weight)
    if case == "grad":
        weight.requires_grad_()
    elif case == "double":
        x, weight = x.double(), weight.double()
    elif case == "narrow":
        weight = weight[:128]
    elif case == "small":
        x = x[:, :, :8, :8]
    elif case == "odd":
        x = torch.zeros(1, 256, 18, 18)
    else:
        weight = torch.zeros(256, 256, 1, 1)
    assert not winograd.applies(x, weight)
