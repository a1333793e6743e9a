"""StyleGAN2 reproduces the official code's numbers, from files in every official layout."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from textedit_bench.models import convert, load_discriminator, load_generator


@pytest.fixture(scope="module")
def fixture(parity):
    return parity("stylegan2_g64_cm2")


@pytest.fixture(scope="module")
def rosinality_file(fixture, tmp_path_factory):
    path = tmp_path_factory.mktemp("ros") / "weights"
    torch.save({"g_ema": fixture.state(), "latent_avg": fixture.extra("latent_avg")}, path)
    return path


@pytest.fixture(scope="module")
def generator(rosinality_file):
    return load_generator(rosinality_file)


@torch.no_grad()
def test_images_from_w_plus_z_and_styles(fixture, generator):
    w_plus = fixture.input("wplus")
    fixture.check("image", generator.synthesize(w_plus))
    fixture.check("w", generator.map(fixture.input("z")))
    truncated = generator.map(fixture.input("z")[:1], truncation=0.7)
    fixture.check("latent_trunc", generator.broadcast(truncated))
    fixture.check("image_trunc", generator.synthesize(truncated))
    first, second = generator.map(fixture.input("z")[1:2]), generator.map(fixture.input("z2")[1:2])
    mixed = torch.cat([generator.broadcast(first)[:, :4], generator.broadcast(second)[:, 4:]], dim=1)
    fixture.check("image_mix", generator.synthesize(mixed))
    styles = generator.to_style(w_plus)
    fixture.check("s", styles)
    fixture.check("image_s", generator.synthesize_style(styles + fixture.input("s_delta")))


def test_style_layout_is_the_official_order(fixture, generator):
    assert [[entry.layer, entry.channels] for entry in generator.style_layout] == fixture.manifest["s_layout"]
    assert (generator.num_rows, generator.num_styles) == (10, sum(n for _, n in fixture.manifest["s_layout"]))


def test_gradient_to_w_plus(fixture, generator):
    w_plus = fixture.input("wplus")[:1].requires_grad_()
    images = generator.synthesize(w_plus)
    ((images * fixture.input("cotangent")).sum() / images.numel() ** 0.5).backward()
    fixture.check("grad_wplus", w_plus.grad)


def test_our_format_gives_the_same_images(generator, rosinality_file, tmp_path):
    (path,) = convert(rosinality_file, tmp_path / "g.safetensors")
    z = torch.randn(2, 512)
    assert torch.equal(load_generator(path)(z, 0.5, "const"), generator(z, 0.5, "const"))


@torch.no_grad()
def test_ada_pytorch_pickle(parity, write_ada, tmp_path):
    fixture = parity("stylegan2_ada_g64")
    attributes = {"": {"c_dim": 0, "z_dim": 512}, "synthesis.b8.conv0": {"conv_clamp": None}}
    generator = load_generator(write_ada(tmp_path / "weights", {"G_ema": (fixture.state(), attributes)}))
    fixture.check("image", generator.synthesize(fixture.input("ws")))
    fixture.check("image_nonoise", generator.synthesize(fixture.input("ws"), noise="none"))
    w = generator.map(fixture.input("z"))
    fixture.check("w", w)
    fixture.check("w_trunc", generator.map(fixture.input("z"), truncation=0.7))
    fixture.check("w_trunc_cutoff", generator.truncate(generator.broadcast(w), 0.6, cutoff=4))
    fixture.check("image_trunc", generator(fixture.input("z")[:1], 0.7, "const"))


@torch.no_grad()
def test_discriminator_logits(parity, tmp_path):
    fixture = parity("discriminator_64")
    torch.save({"d": fixture.state(), "g_optim": {"state": {}}}, tmp_path / "weights")
    discriminator = load_discriminator(tmp_path / "weights")
    for batch in (1, 2, 4, 8):
        fixture.check(f"logits_b{batch}", discriminator(fixture.input(f"image_b{batch}")))
    fixture.check("features", discriminator.convs(fixture.input("image_b4")))
    with pytest.raises(ValueError, match="groups of 4"):
        discriminator(torch.zeros(6, 3, 64, 64))


@torch.no_grad()
def test_tensorflow_pickle_equals_the_rosinality_file(write_tf, tmp_path):
    from textedit_bench.models import Discriminator, Generator

    torch.manual_seed(0)
    channels = {4: 12, 8: 10, 16: 6}
    generator = Generator(16, z_dim=9, w_dim=7, n_mlp=3, channels=channels)
    discriminator = Discriminator(16, channels=channels, mbstd_group=2)
    for parameter in [*generator.parameters(), *discriminator.parameters()]:
        parameter.add_(0.3 * torch.randn_like(parameter))
    generator.estimate_w_mean(100)
    g, d = tensorflow_generator(generator), tensorflow_discriminator(discriminator)
    path = write_tf(tmp_path / "weights", {n: 0 * a for n, a in g.items()}, d, g, mbstd_group_size=2)
    loaded = load_generator(path)
    z, images = torch.randn(2, 9), torch.randn(4, 3, 16, 16)
    torch.testing.assert_close(loaded(z, 0.7, "const"), generator(z, 0.7, "const"))
    torch.testing.assert_close(load_discriminator(path)(images), discriminator(images))


def tensorflow_generator(generator) -> dict[str, np.ndarray]:
    """Variables of the TensorFlow network that computes the same: HWIO weights, mirrored up-convolutions, bias - 1."""
    state = {name: tensor.numpy() for name, tensor in generator.state_dict().items()}
    variables = {
        "dlatent_avg": generator.w_mean.numpy(),
        "lod": np.float32(0),
        "synthesis/4x4/Const/const": state["input.input"],
    }
    for j in range(generator.n_mlp):
        variables[f"mapping/Dense{j}/weight"] = state[f"style.{j + 1}.weight"].T
        variables[f"mapping/Dense{j}/bias"] = state[f"style.{j + 1}.bias"]
    names = {"conv1": "4x4/Conv", "to_rgb1": "4x4/ToRGB"}
    for k in range(len(generator.to_rgbs)):
        size = 8 * 2**k
        names |= {f"convs.{2 * k}": f"{size}x{size}/Conv0_up", f"convs.{2 * k + 1}": f"{size}x{size}/Conv1"}
        names[f"to_rgbs.{k}"] = f"{size}x{size}/ToRGB"
    for ours, theirs in names.items():
        weight = state[f"{ours}.conv.weight"][0]
        weight = weight[:, :, ::-1, ::-1] if theirs.endswith("up") else weight
        scope = f"synthesis/{theirs}"
        variables[f"{scope}/weight"] = weight.transpose(2, 3, 1, 0)
        variables[f"{scope}/mod_weight"] = state[f"{ours}.conv.modulation.weight"].T
        variables[f"{scope}/mod_bias"] = state[f"{ours}.conv.modulation.bias"] - 1
        if "rgb" in ours:
            variables[f"{scope}/bias"] = state[f"{ours}.bias"].reshape(3)
        else:
            variables[f"{scope}/noise_strength"] = state[f"{ours}.noise.weight"].reshape(())
            variables[f"{scope}/bias"] = state[f"{ours}.activate.bias"]
    variables |= {
        f"synthesis/{n.removeprefix('noises.noise_')}": a for n, a in state.items() if n.startswith("noises.")
    }
    return {
        n.replace("synthesis/", "synthesis/noise") if n[10:].isdigit() else n: np.ascontiguousarray(a)
        for n, a in variables.items()
    }


def tensorflow_discriminator(discriminator) -> dict[str, np.ndarray]:
    """Variables of the TensorFlow discriminator that computes the same."""
    state = {name: tensor.numpy() for name, tensor in discriminator.state_dict().items()}
    full = discriminator.resolution
    pairs = {f"{full}x{full}/FromRGB": ("convs.0.0", "convs.0.1"), "4x4/Conv": ("final_conv.0", "final_conv.1")}
    pairs |= {"4x4/Dense0": ("final_linear.0", "final_linear.0"), "Output": ("final_linear.1", "final_linear.1")}
    for n in range(1, len(discriminator.convs)):
        scope = f"{full >> (n - 1)}x{full >> (n - 1)}"
        pairs[f"{scope}/Conv0"] = (f"convs.{n}.conv1.0", f"convs.{n}.conv1.1")
        pairs[f"{scope}/Conv1_down"] = (f"convs.{n}.conv2.1", f"convs.{n}.conv2.2")
        pairs[f"{scope}/Skip"] = (f"convs.{n}.skip.1", "")
    variables = {}
    for scope, (weight, bias) in pairs.items():
        array = state[f"{weight}.weight"]
        variables[f"{scope}/weight"] = array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T
        if bias:
            variables[f"{scope}/bias"] = state[f"{bias}.bias"]
    return variables
