"""Files that are damaged, hostile or of something else give one clear line and run nothing."""

from __future__ import annotations

import argparse
import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from torchvision.models import resnet50

from textedit_bench.models import (
    CheckpointError,
    Discriminator,
    Generator,
    load_discriminator,
    load_encoder,
    load_identity,
)
from textedit_bench.models import load_generator as load
from textedit_bench.models.torch_files import read_archive, read_torchscript

SMALL = {"resolution": 8, "z_dim": 6, "w_dim": 6, "n_mlp": 2, "channels": {4: 5, 8: 4}}


class Hostile:
    """Creates a file when unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def refused(path: Path, pattern: str, loader=load) -> None:
    with pytest.raises(CheckpointError, match=pattern) as caught:
        loader(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("writer", ["pickle", "torch", "legacy torch"])
def test_hostile_files_create_nothing_and_are_refused_by_name(tmp_path, writer, nested):
    victim = tmp_path / "created"
    content = {"g_ema": {"a": Hostile(victim)}} if nested else Hostile(victim)
    path = tmp_path / "weights.pt"
    if writer == "pickle":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=writer == "torch")
    refused(path, r"(posix|nt|os)\.mkdir")
    assert not victim.exists()


def test_hostile_source_inside_an_ada_pickle_does_not_run(tmp_path, write_ada):
    """The writer puts an exit statement into `module_src` and raises if the reconstruct function is called."""
    refused(write_ada(tmp_path / "w.pkl", {"G_ema": ({"mapping.w_avg": torch.zeros(4)}, {})}), "incomplete generator")


@pytest.mark.parametrize(
    ("content", "pattern"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html><title>Quota exceeded</title>", "web page"),
        (b"\n <html>", "web page"),
        (b"PK\x03\x04" + b"\0" * 40, "truncated archive"),
        (b"\x80\x04\x95\xff", "truncated"),
        (b"plain text", "not a weights file"),
    ],
)
def test_files_that_are_no_weights(tmp_path, content, pattern):
    (tmp_path / "w.pt").write_bytes(content)
    refused(tmp_path / "w.pt", pattern)


@pytest.mark.parametrize("kept", [0.3, 0.95])
def test_truncated_weights(tmp_path, kept):
    path = tmp_path / "w.pt"
    torch.save({"g_ema": Generator(**SMALL).state_dict()}, path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    refused(path, "truncated")


def test_missing_file(tmp_path):
    refused(tmp_path / "w.pt", "no such file")


def test_a_zip_of_something_else(tmp_path):
    with zipfile.ZipFile(tmp_path / "w.pt", "w") as archive:
        archive.writestr("readme.txt", "hello")
    refused(tmp_path / "w.pt", "not one written by PyTorch")


def test_missing_surplus_and_misshapen_tensors_are_listed_with_the_nearest_known_file(tmp_path):
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in Generator(256).state_dict().items()}
    small = Generator(**SMALL).state_dict()
    del small["convs.1.noise.weight"]
    small["extra.weight"] = torch.zeros(2)
    small["to_rgbs.0.bias"] = torch.zeros(3)
    torch.save(small, tmp_path / "w.pt")
    refused(
        tmp_path / "w.pt",
        r"1 missing \(convs\.1\.noise\.weight\).*surplus \(extra\.weight\).*misshapen \(to_rgbs\.0\.bias",
    )
    partial = {name: torch.zeros(shapes[name]) for name in list(shapes)[:60] if "noise" not in name}
    torch.save(partial, tmp_path / "p.pt")
    refused(tmp_path / "p.pt", "resembles most: StyleGAN2 .* generator")


def test_a_file_of_another_network_is_named(tmp_path):
    torch.save({"d": Discriminator(8, channels={4: 5, 8: 4}).state_dict()}, tmp_path / "d.pt")
    refused(tmp_path / "d.pt", "holds a StyleGAN2 discriminator, not a StyleGAN2 generator")
    refused(tmp_path / "d.pt", "not an e4e or pSp encoder", load_encoder)


def test_a_filter_of_another_kind_is_refused(tmp_path):
    state = Generator(**SMALL).state_dict()
    state["convs.0.conv.blur.kernel"] = torch.ones(4, 4)
    torch.save(state, tmp_path / "w.pt")
    refused(tmp_path / "w.pt", r"\[1, 3, 3, 1\]")


def test_training_checkpoints_with_settings_and_optimiser_state_are_read(tmp_path):
    generator, discriminator = Generator(**SMALL), Discriminator(8, channels={4: 5, 8: 4})
    optimiser = torch.optim.Adam(generator.parameters()).state_dict()
    content = {"g": generator.state_dict(), "d": discriminator.state_dict(), "g_ema": generator.state_dict()}
    content |= {"g_optim": optimiser, "args": argparse.Namespace(size=8, batch=4), "ada_aug_p": 0.0}
    torch.save(content, tmp_path / "w.pt")
    z, images = torch.randn(2, 6), torch.rand(4, 3, 8, 8)
    loaded = load(tmp_path / "w.pt")
    assert torch.equal(loaded(z, noise="const"), generator.eval()(z, noise="const"))
    assert torch.equal(load_discriminator(tmp_path / "w.pt")(images), discriminator(images))
    assert torch.allclose(loaded.w_mean, generator.estimate_w_mean())


def test_conv_clamp_of_an_ada_pickle_is_kept(tmp_path, write_ada, parity):
    state = parity("stylegan2_ada_g64").manifest["tensors"]
    tensors = {n: torch.zeros(t["shape"]) for n, t in state.items()}
    for name in tensors:
        if name.endswith("resample_filter"):
            tensors[name] = torch.outer(*[torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8] * 2)
    tensors["synthesis.b64.torgb.bias"] = torch.tensor([500.0, -500.0, 1.0])
    attributes = {"synthesis.b8.conv0": {"conv_clamp": 256}}
    generator = load(write_ada(tmp_path / "w.pkl", {"G_ema": (tensors, attributes)}))
    assert generator.conv_clamp == 256
    pixel = generator.synthesize(torch.zeros(1, 10, 512))[0, :, 5, 5]
    torch.testing.assert_close(pixel, torch.tensor([256.0, -256.0, 1.0]))


def test_torchscript_archives_are_read_without_their_code(tmp_path):
    module = torch.jit.trace(torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU()), torch.zeros(1, 3))
    torch.jit.save(module, str(tmp_path / "w.pt"))
    state = read_torchscript(tmp_path / "w.pt")
    assert {name: tuple(t.shape) for name, t in state.items()} == {"0.weight": (2, 3), "0.bias": (2,)}
    assert torch.equal(state["0.weight"], module.state_dict()["0.weight"])
    refused(tmp_path / "w.pt", "TorchScript")


def test_archives_with_settings_objects_give_their_tensors(tmp_path):
    torch.save(
        {"state_dict": {"a": torch.arange(6.0).view(2, 3).T}, "opts": argparse.Namespace(x=1)}, tmp_path / "w.pt"
    )
    content = read_archive(tmp_path / "w.pt", inert=("argparse.",))
    assert torch.equal(content["state_dict"]["a"], torch.arange(6.0).view(2, 3).T)
    assert content["opts"].get("x") == 1
    with pytest.raises(CheckpointError, match=r"argparse\.Namespace"):
        read_archive(tmp_path / "w.pt")


def test_decoders_inside_files_of_methods_and_encoders_are_generators(tmp_path):
    generator = Generator(**SMALL)
    state = {f"decoder.{name}": tensor for name, tensor in generator.state_dict().items()}
    content = {"state_dict": {**state, "mapper.mapping.weight": torch.zeros(1)}, "latent_avg": torch.ones(4, 6)}
    torch.save(content, tmp_path / "w.pt")
    loaded = load(tmp_path / "w.pt")
    assert torch.equal(loaded.input.input, generator.input.input)
    assert torch.equal(loaded.w_mean, torch.ones(6))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([b"\x80\x02", b"\x80\x04", b"PK\x03\x04", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", b""]),
    st.binary(max_size=60),
)
@example(b"\x80\x02", b".")
@example(b"", b"\x80")
def test_no_bytes_give_anything_but_one_line(tmp_path, start, rest):
    path = tmp_path / "weights"
    path.write_bytes(start + rest)
    refused(path, ".")


def test_a_moco_training_checkpoint_gives_its_query_encoder(tmp_path):
    torch.manual_seed(0)
    trunk = resnet50(weights=None)
    trunk.fc = torch.nn.Sequential(torch.nn.Linear(2048, 2048), torch.nn.ReLU(), torch.nn.Linear(2048, 128))
    query = {f"module.encoder_q.{name}": value for name, value in trunk.state_dict().items()}
    other = {f"module.encoder_k.{name}": value + 1 for name, value in trunk.state_dict().items()}
    state = {**query, **other, "module.queue": torch.randn(128, 16), "module.queue_ptr": torch.zeros(1).long()}
    path = tmp_path / "moco_v2_800ep_pretrain.pth.tar"
    torch.save({"epoch": 800, "arch": "resnet50", "state_dict": state, "optimizer": {"state": {}}}, path)
    images = torch.rand(1, 3, 80, 80) * 2 - 1
    trunk.fc = torch.nn.Identity()
    trunk.eval()
    with torch.no_grad():
        # Nearest neighbour, as in the published loss: every output pixel is the input pixel its corner falls on.
        index = torch.arange(224) * 80 // 224
        expected = torch.nn.functional.normalize(trunk(images[:, :, index][:, :, :, index]), dim=1)
    torch.testing.assert_close(load_identity(path).embed(images), expected)
