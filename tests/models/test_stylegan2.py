"""Properties of the generator and discriminator on small networks, in float64 where numbers are compared."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from textedit_bench.models import Discriminator, Generator
from textedit_bench.models.layers import blur, fir_kernel, upsample_rgb
from textedit_workshop.perf import textbook


@pytest.fixture
def generator() -> Generator:
    torch.manual_seed(0)
    network = Generator(16, z_dim=6, w_dim=7, n_mlp=2, channels={4: 6, 8: 5, 16: 4}).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    network.estimate_w_mean(64)
    return network


def test_images_and_all_gradients_equal_the_textbook_form(generator):
    w_plus = torch.randn(3, generator.num_rows, 7, dtype=torch.float64, requires_grad=True)
    images, expected = generator.synthesize(w_plus), textbook.synthesize(generator, w_plus)
    torch.testing.assert_close(images, expected, rtol=0, atol=1e-12)
    inputs = [w_plus, *(p for name, p in generator.named_parameters() if not name.startswith("style."))]
    cotangent = torch.randn_like(images)
    actual = torch.autograd.grad((images * cotangent).sum(), inputs)
    for a, b in zip(actual, torch.autograd.grad((expected * cotangent).sum(), inputs), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


def test_frozen_weights_give_the_same_images_and_changes_are_noticed(generator):
    w_plus = torch.randn(2, generator.num_rows, 7, dtype=torch.float64)
    trained = generator.synthesize(w_plus)
    generator.requires_grad_(False)
    assert torch.equal(generator.synthesize(w_plus), trained)
    generator.convs[0].conv.weight.mul_(1.0 + torch.rand_like(generator.convs[0].conv.weight))
    torch.testing.assert_close(generator.synthesize(w_plus), textbook.synthesize(generator, w_plus), rtol=0, atol=1e-12)
    assert not torch.allclose(generator.synthesize(w_plus), trained)


def test_frozen_weights_used_first_in_inference_mode_still_give_gradients(generator):
    generator.requires_grad_(False)
    w_plus = torch.randn(1, generator.num_rows, 7, dtype=torch.float64)
    with torch.inference_mode():
        generator.synthesize(w_plus)
    w_plus.requires_grad_()
    (gradient,) = torch.autograd.grad(generator.synthesize(w_plus).square().sum(), [w_plus])
    assert gradient.abs().sum() > 0


def test_gradient_against_finite_differences_through_mapping_and_synthesis():
    torch.manual_seed(1)
    network = Generator(8, z_dim=3, w_dim=3, n_mlp=1, channels={4: 3, 8: 2}).double().requires_grad_(False)
    for layer in (network.conv1, *network.convs):
        layer.noise.weight.fill_(0.3)
    z = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda code: network(code, noise="const"), (z,))
    w_plus = torch.randn(1, network.num_rows, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda code: network.synthesize(code), (w_plus,))


def test_blur_and_upsampling_equal_the_two_dimensional_filter():
    x = torch.randn(2, 3, 6, 5, dtype=torch.float64)
    kernel = fir_kernel(4.0).double().expand(3, 1, 4, 4)
    torch.testing.assert_close(blur(x, 1, 4.0), F.conv2d(x, kernel, padding=1, groups=3))
    torch.testing.assert_close(upsample_rgb(x), F.conv_transpose2d(x, kernel, stride=2, padding=1, groups=3))


def test_w_w_plus_styles_and_latents_are_the_same_codes(generator):
    w = generator.map(torch.randn(2, 6, dtype=torch.float64))
    w_plus = generator.broadcast(w)
    images = generator.synthesize(w_plus)
    styles = generator.to_style(w_plus)
    assert torch.equal(generator.synthesize(w), images)
    assert torch.equal(generator.synthesize_style(styles), images)
    assert torch.equal(generator.synthesize(SimpleNamespace(codes=w_plus, space="w+")), images)
    assert torch.equal(generator.synthesize(SimpleNamespace(codes=styles, space="s")), images)


def test_the_last_row_reaches_only_the_last_colour_layer(generator):
    w_plus = torch.randn(1, generator.num_rows, 7, dtype=torch.float64)
    moved = w_plus.clone()
    moved[:, -1] += 1
    changed = generator.to_style(moved) != generator.to_style(w_plus)
    widths = [entry.channels for entry in generator.style_layout]
    assert [bool(part.any()) for part in changed.split(widths, dim=1)] == [False] * (len(widths) - 1) + [True]


def test_the_batch_does_not_matter(generator):
    w_plus = torch.randn(3, generator.num_rows, 7, dtype=torch.float64)
    alone = torch.cat([generator.synthesize(code[None]) for code in w_plus])
    torch.testing.assert_close(generator.synthesize(w_plus), alone, rtol=0, atol=1e-12)


def test_truncation_moves_towards_the_mean(generator):
    z = torch.randn(2, 6, dtype=torch.float64)
    assert torch.equal(generator.map(z, 0.0), generator.w_mean.expand(2, -1))
    torch.testing.assert_close(generator.map(z, 0.5) * 2 - generator.w_mean, generator.map(z))


def test_noise_choices(generator):
    w = torch.randn(1, 7, dtype=torch.float64)
    const, none = generator.synthesize(w), generator.synthesize(w, noise="none")
    assert not torch.equal(generator.synthesize(w, noise="random"), generator.synthesize(w, noise="random"))
    assert not torch.allclose(const, none)
    maps = [generator.noises.get_buffer(f"noise_{i}") for i in range(5)]
    assert torch.equal(generator.synthesize(w, noise=maps), const)
    with pytest.raises(ValueError, match="'const', 'random', 'none'"):
        generator.synthesize(w, noise="fixed")
    with pytest.raises(ValueError, match="4 noise maps"):
        generator.synthesize(w, noise=maps[:4])


def test_codes_of_another_generator_are_refused(generator):
    with pytest.raises(ValueError, match=r"\(1, 18, 7\).*\(B, 6, 7\)"):
        generator.synthesize(torch.zeros(1, 18, 7))
    with pytest.raises(ValueError, match="style codes"):
        generator.synthesize_style(torch.zeros(1, 5))
    with pytest.raises(ValueError, match="power of two"):
        Generator(48)
    with pytest.raises(ValueError, match=r"\[16\]"):
        Generator(16, channels={4: 4, 8: 4})


def test_official_row_and_channel_counts():
    with torch.device("meta"):
        counts = {size: Generator(size) for size in (1024, 512, 256)}
    assert {size: (g.num_rows, g.num_styles, len(g.state_dict())) for size, g in counts.items()} == {
        1024: (18, 9088, 171),
        512: (16, 8960, 153),
        256: (14, 8704, 135),
    }
    assert sum(p.numel() for p in counts[1024].parameters()) == 30_370_060
    with torch.device("meta"):
        assert sum(p.numel() for p in Discriminator(1024).parameters()) == 29_012_513


def test_discriminator_penalty_has_second_derivatives():
    torch.manual_seed(0)
    network = Discriminator(8, channels={4: 4, 8: 3}).double()
    images = torch.randn(4, 3, 8, 8, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(images).sum(), [images], create_graph=True)
    gradient.square().sum().backward()
    assert all(p.grad is not None for name, p in network.named_parameters() if name.endswith("weight"))
