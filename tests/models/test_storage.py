"""Our safetensors files: what goes in comes out, and files of others are refused."""

from __future__ import annotations

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save

from textedit_bench.models import (
    CheckpointError,
    Discriminator,
    Generator,
    load_discriminator,
    load_generator,
    save_network,
    storage,
)

CHANNELS = {4: 16, 8: 16, 16: 8}


@pytest.fixture
def generator() -> Generator:
    torch.manual_seed(0)
    network = Generator(16, z_dim=12, w_dim=10, n_mlp=3, channels=CHANNELS)
    network.estimate_w_mean(64)
    return network


def test_generator_survives_the_round_trip_bit_for_bit(generator, tmp_path):
    save_network(generator, tmp_path / "g.safetensors", "stylegan2-generator", extra_metadata={"world": "ffhq"})
    loaded = load_generator(tmp_path / "g.safetensors")
    z = torch.randn(2, 12)
    assert torch.equal(loaded(z, truncation=0.7, noise="const"), generator(z, truncation=0.7, noise="const"))
    assert loaded.config == generator.config and not loaded.training


def test_equal_networks_are_equal_files(generator, tmp_path):
    """Their digest is part of a cell's identity; the library orders the header anew every time."""
    said = {"world": "ffhq", "note": 'Müller "x"', "a": "1", "z": "2"}
    files = [save_network(generator, tmp_path / f"{i}.st", "stylegan2-generator", "int8", said) for i in range(6)]
    assert len({file.read_bytes() for file in files}) == 1
    with safe_open(files[0], framework="pt") as stored:
        assert stored.metadata().items() >= said.items()


class Named(storage.StoredNetwork):
    def __init__(self, labels, sizes) -> None:
        super().__init__()
        self.labels, self.sizes = [tuple(pair) for pair in labels], {name: tuple(size) for name, size in sizes.items()}


def test_the_arguments_of_a_stored_network_are_what_its_file_gives_back():
    config = Named([("smiling", "face")], {"coarse": (3, 4)}).config
    assert config == {"labels": [["smiling", "face"]], "sizes": {"coarse": [3, 4]}}
    assert Named.from_config(config).config == config


def test_half_precision_exists_on_disk_only(generator, tmp_path):
    full = save_network(generator, tmp_path / "f.safetensors", "stylegan2-generator")
    half = save_network(generator, tmp_path / "h.safetensors", "stylegan2-generator", "float16")
    loaded = load_generator(half)
    assert half.stat().st_size < 0.75 * full.stat().st_size
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    z = torch.randn(2, 12)
    a, b = loaded(z, noise="const"), generator(z, noise="const")
    assert 0 < (a - b).abs().max() < 0.02 * b.std()


def test_discriminator_round_trip(tmp_path):
    network = Discriminator(16, channels=CHANNELS)
    save_network(network, tmp_path / "d.safetensors", "stylegan2-discriminator")
    images = torch.rand(4, 3, 16, 16)
    assert torch.equal(load_discriminator(tmp_path / "d.safetensors")(images), network(images))


def test_the_wrong_kind_is_named(generator, tmp_path):
    path = save_network(generator, tmp_path / "g.safetensors", "stylegan2-generator")
    with pytest.raises(CheckpointError, match=r"holds a Generator .*not a discriminator"):
        load_discriminator(path)


def test_values_too_large_for_float16_are_refused(generator, tmp_path):
    with torch.no_grad():
        generator.style[1].weight[0, 0] = 1e6
    with pytest.raises(ValueError, match=r"style\.1\.weight"):
        save_network(generator, tmp_path / "g.safetensors", "stylegan2-generator", "float16")
    assert not list(tmp_path.iterdir())


def test_a_header_cannot_name_foreign_code(generator, tmp_path):
    from textedit_bench.models.storage import write_tensors

    header = {"format": "textedit_bench", "kind": "x", "class": "subprocess:Popen", "config": "{}"}
    path = write_tensors(generator.state_dict(), tmp_path / "x.safetensors", header)
    with pytest.raises(CheckpointError, match="not one of ours"):
        load_generator(path)


@pytest.mark.parametrize("length", [0, 5, 60, None], ids=["empty", "no length", "half a header", "raised"])
def test_of_a_full_disk_nothing_is_left(tmp_path, monkeypatch, length):
    # Old versions of the library cut the file and say nothing; new ones raise, and leave the piece.
    def cut(tensors, path, metadata=None):
        whole = save(tensors, metadata)
        path.write_bytes(whole[: len(whole) - 1 if length is None else length])
        if length is None:
            raise OSError("No space left on device")

    monkeypatch.setattr(storage, "save_file", cut)
    with pytest.raises(OSError, match="space"):
        storage.save_tensors({"a": torch.zeros(9)}, tmp_path / "a.safetensors", {"kind": "x"})
    assert list(tmp_path.iterdir()) == []
