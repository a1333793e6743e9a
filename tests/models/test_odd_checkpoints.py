"""Files of trainers as people have them: wrapped, with settings beside, unpacked, broken, or in the wrong place."""

from __future__ import annotations

import argparse
import collections
import datetime
import gzip
import pathlib
import re
import shlex
import subprocess
import sys
import tarfile
import zipfile

import numpy as np
import pytest
import torch
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from textedit_bench.cli.main import main
from textedit_bench.domain import load_domain
from textedit_bench.errors import UserError
from textedit_bench.models import CheckpointError, Discriminator, Generator, load_discriminator, load_generator
from textedit_bench.models.building import build_encoder
from textedit_bench.models.checkpoint import read_checkpoint
from textedit_bench.models.encoder import StyleEncoder
from textedit_bench.models.storage import save_network
from textedit_bench.registry import load_editor, method_info
from textedit_bench.testing import write_toy_dataset
from textedit_bench.testing.geometry import TOYS

SMALL = {"resolution": 8, "z_dim": 6, "w_dim": 6, "n_mlp": 2, "channels": {4: 5, 8: 4}}
torch.manual_seed(0)
GENERATOR = Generator(**SMALL)
STATE = GENERATOR.state_dict()
TOGETHER = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ENCODER = StyleEncoder(4, "e4e", 6).state_dict()


def _wrapped(state: dict, prefixes: list[str], at: int) -> dict:
    """Names with a trainer's prefixes put in at some depth."""
    names = {}
    for name, value in state.items():
        parts = name.split(".")
        where = min(at, len(parts) - 1)
        names[".".join([*parts[:where], *prefixes, *parts[where:]])] = value
    return names


# -- names ---------------------------------------------------------------------------------------------------------
@TOGETHER
@given(
    st.lists(st.sampled_from(["module", "_orig_mod"]), max_size=3),
    st.integers(0, 2),
    st.sampled_from(["g_ema", "g", "state_dict", "model", "params_ema", "", "decoder", "netG"]),
    st.booleans(),
    st.booleans(),
)
def test_a_generator_is_read_however_it_was_wrapped(tmp_path, prefixes, at, key, legacy, counted):
    state = _wrapped(STATE, prefixes, at)
    if counted:
        state["n_averaged"] = torch.tensor(3)
    if key in ("decoder", "netG"):
        content = {f"{key}.{name}": value for name, value in state.items() if name != "n_averaged"}
    else:
        content = {key: state} if key else state
    torch.save(content, tmp_path / "w.pt", _use_new_zipfile_serialization=not legacy)
    loaded = load_generator(tmp_path / "w.pt").state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in STATE.items())


@TOGETHER
@given(st.sampled_from(["module.", "module.module.", "_orig_mod.", "module._orig_mod."]), st.booleans(), st.booleans())
def test_so_is_an_encoder(tmp_path, prefix, outside, inside):
    names = {f"{outside * prefix}encoder.{inside * prefix}{name}": value for name, value in ENCODER.items()}
    average = torch.zeros(4, 6)
    torch.save({"state_dict": names, "latent_avg": average, "opts": {"device": "cuda"}}, tmp_path / "e.pt")
    loaded = build_encoder(read_checkpoint(tmp_path / "e.pt")).state_dict()
    assert all(torch.equal(loaded[name], ENCODER[name]) for name in ENCODER)


def test_so_is_a_discriminator(tmp_path):
    state = Discriminator(8, channels={4: 5, 8: 4}).state_dict()
    torch.save({"d": {f"module.{name}": value for name, value in state.items()}}, tmp_path / "d.pt")
    assert torch.equal(
        load_discriminator(tmp_path / "d.pt").state_dict()["final_linear.0.weight"], state["final_linear.0.weight"]
    )


# -- what lies beside the tensors ------------------------------------------------------------------------------------
BESIDE = {
    "numpy float": np.float64(0.5),
    "numpy integer": np.int64(7),
    "numpy bool": np.bool_(True),
    "numpy array": np.arange(3.0),
    "path": pathlib.PurePosixPath("a/b.pt"),
    "system path": pathlib.Path("a/b.pt"),
    "windows path": pathlib.PureWindowsPath("c:/a.pt"),
    "namespace": argparse.Namespace(size=8, where=pathlib.Path("a"), nested=argparse.Namespace(x=np.float32(1))),
    "ordered": collections.OrderedDict(a=1),
    "defaultdict": collections.defaultdict(list, a=[1]),
    "counter": collections.Counter("aab"),
    "time": datetime.datetime(2024, 1, 2),
    "size": torch.Size([1, 2]),
    "device": torch.device("cuda", 0),
    "dtype": torch.float16,
    "set": {1, 2},
    "complex": 1j,
    "optimiser": torch.optim.Adam(GENERATOR.parameters()).state_dict(),
}


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("name", BESIDE)
def test_settings_beside_the_tensors_do_not_matter(tmp_path, name, legacy):
    content = {"args": BESIDE[name], "g_ema": STATE, "list": [BESIDE[name], np.float64(1)], "at": pathlib.Path("x")}
    torch.save(content, tmp_path / "w.pt", _use_new_zipfile_serialization=not legacy)
    assert torch.equal(load_generator(tmp_path / "w.pt").state_dict()["input.input"], STATE["input.input"])


class Stranger:
    """A class of the trainer's own."""


def test_what_is_on_no_list_is_refused_by_name(tmp_path):
    torch.save({"args": Stranger(), "g_ema": STATE}, tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match=r"refused.*Stranger.*nothing of it was executed"):
        load_generator(tmp_path / "w.pt")


def test_arrays_in_place_of_tensors_are_read(tmp_path):
    torch.save({"g_ema": {name: value.numpy() for name, value in STATE.items()}}, tmp_path / "w.pt")
    assert torch.equal(load_generator(tmp_path / "w.pt").state_dict()["input.input"], STATE["input.input"])


# -- unpacked --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("deep", [True, False], ids=["with its folder", "without"])
def test_an_unpacked_file_is_told_and_how_to_pack_it(tmp_path, deep):
    torch.save({"g_ema": STATE}, tmp_path / "w.pt")
    folder = tmp_path / "un packed"
    with zipfile.ZipFile(tmp_path / "w.pt") as archive:
        archive.extractall(folder)
    if not deep:
        folder = next(folder.iterdir())
    with pytest.raises(CheckpointError, match="was unpacked") as caught:
        load_generator(folder)
    command = re.search(r"pack it again: (.*)$", str(caught.value))[1]
    zip_here = f"{shlex.quote(sys.executable)} -m zipfile -c"  # zip itself may not be installed
    subprocess.run(command.replace("zip -r -0", zip_here), shell=True, check=True, capture_output=True)
    [packed] = tmp_path.rglob("*.packed.pt")
    assert torch.equal(load_generator(packed).state_dict()["input.input"], STATE["input.input"])


def test_any_other_folder_is_told_too(tmp_path):
    with pytest.raises(CheckpointError, match="is a folder, not a file of weights"):
        load_generator(tmp_path)


# -- not finite ------------------------------------------------------------------------------------------------------
PARTS = ["input.input", "conv1.conv.weight", "to_rgbs.0.bias", "style.1.weight", "noises.noise_1", "latent_avg"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("how", ["rosinality", "ours", "convert"])
def test_weights_that_are_not_finite_are_refused_with_their_name(tmp_path, capsys, name, value, how):
    state, average = {n: t.clone() for n, t in STATE.items()}, torch.ones(6)
    broken = average if name == "latent_avg" else state[name]
    path, target = tmp_path / "w.pt", tmp_path / "w.safetensors"
    if how == "ours":
        generator = Generator(**SMALL)
        (
            generator.w_mean
            if name == "latent_avg"
            else dict(generator.named_parameters(), **dict(generator.named_buffers()))[name]
        ).data.view(-1)[1] = value
        save_network(generator, path := target, "stylegan2-generator")
    else:
        broken.view(-1)[1] = value
        torch.save({"g_ema": state, "latent_avg": average}, path)
    if how == "convert":
        assert main(["assets", "convert", str(path), str(target)]) == 2
        err = capsys.readouterr().err
        assert name in err and "not finite" in err and len(err.splitlines()) == 1 and not target.exists()
        return
    with pytest.raises(
        CheckpointError, match=rf"{re.escape(str(path))}: {re.escape(name)} holds values that are not finite"
    ):
        load_generator(path)


# -- networks of one card --------------------------------------------------------------------------------------------
def _card(folder, **networks):
    """A toy card with networks of other geometries in some roles."""
    card = write_toy_dataset(folder / "a", TOYS[0], judges=TOYS[0].resolution == 16)
    other = write_toy_dataset(folder / "b", TOYS[1])
    content = yaml.safe_load(card.read_text())
    named = content["tiers"]["mini"]["networks"]
    for role, source in networks.items():
        named[role] = str((other if source.startswith("other ") else card).parent / f"{source.split()[-1]}.safetensors")
    card.write_text(yaml.safe_dump(content))
    return load_domain(str(card))


def test_an_encoder_and_a_generator_that_do_not_belong_together_are_told_with_both_sizes(tmp_path):
    domain = _card(tmp_path, encoder="other encoder")
    with pytest.raises(
        UserError, match=r"encoder\.safetensors: gives codes of .* x .*generator .*generator\.safetensors takes .* x "
    ):
        domain.invert(domain.photos("evaluation", 1))


@pytest.mark.parametrize("role", ["generator", "discriminator"])
def test_a_network_of_another_resolution_than_the_cards_is_told(tmp_path, role):
    if TOYS[0].resolution == TOYS[1].resolution:
        pytest.fail("the toys have to differ")
    domain = _card(tmp_path, **{role: f"other {role}"})
    with pytest.raises(
        UserError, match=rf"a {role} of {TOYS[1].resolution} pixels, but the card says resolution: {TOYS[0].resolution}"
    ):
        domain.network(role)


ROLES = ["generator", "discriminator", "encoder", "identity", "clip", "perceptual", "features", "oracle"]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("holds", ROLES)
def test_a_file_in_the_wrong_role_is_named(tmp_path_factory, role, holds):
    looks = {"perceptual", "features", "identity"}  # all of them look at pictures and give numbers
    if role == holds or {role, holds} <= looks or (role in looks and holds == "discriminator"):
        return
    domain = _card(tmp_path_factory.mktemp("card"), **{role: holds})
    with pytest.raises(UserError) as caught:
        domain.network(role)
    assert f"{holds}.safetensors" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("method", ["ffclip", "styleclip-mapper", "clip2gan", "deltaedit"])
def test_weights_of_a_method_for_other_networks_are_told(tmp_path, method):
    here, there = (load_domain(str(write_toy_dataset(tmp_path / str(i), TOYS[i]))) for i in (0, 1))
    trained = load_editor(method, there, **method_info(method).trial)
    trained.fit(
        list(there.prompts("evaluation").values())[:1], folder=tmp_path / "ck", progress=False, preview_images=0
    )
    trained.save(tmp_path / "w.safetensors")
    prompt = next(iter(there.prompts("evaluation").values()))
    with pytest.raises(UserError) as caught:
        editor = load_editor(method, here)
        editor.load(tmp_path / "w.safetensors")
        editor.edit(here.invert(here.photos("evaluation", 1)), prompt)
    assert "\n" not in str(caught.value)


def test_a_good_inversion_is_not_called_damaged_where_the_networks_do_not_belong_together(
    tmp_path, monkeypatch, caplog
):
    monkeypatch.setenv("TEXTEDIT_BENCH_HOME", str(tmp_path / "home"))
    (tmp_path / "photos").mkdir()
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(tmp_path / "photos" / "0.png")

    def photos(domain):
        return domain.invert(domain.photos("evaluation", 1))

    card = write_toy_dataset(tmp_path / "toy", TOYS[0])
    content = yaml.safe_load(card.read_text())
    tier = content["tiers"]["mini"]
    tier |= {"source": {"kind": "folder", "path": str(tmp_path / "photos")}, "splits": {"evaluation": 1}}
    card.write_text(yaml.safe_dump(content))
    photos(load_domain(str(card)))
    wide = Generator(resolution=16, z_dim=9, w_dim=9, n_mlp=2, channels={4: 4, 8: 4, 16: 4})
    save_network(wide, card.parent / "wide.safetensors", "stylegan2-generator")
    tier["networks"]["generator"] = "wide.safetensors"
    card.write_text(yaml.safe_dump(content))
    with pytest.raises(UserError, match=r"gives codes of .* x 8 .*takes .* x 9"):
        photos(load_domain(str(card)))
    assert "damaged" not in caplog.text


# -- what came in place of a checkpoint -------------------------------------------------------------------------------
def _tar(path):
    with tarfile.open(path.with_suffix(".tar"), "w") as archive:
        archive.add(path, "w.pt")
    return path.with_suffix(".tar").read_bytes()


def _zip(path):
    with zipfile.ZipFile(path.with_suffix(".zip"), "w") as archive:
        archive.write(path, "drive/w.pt")
    return path.with_suffix(".zip").read_bytes()


INSTEAD = {
    "lfs": (lambda p: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer.*git lfs pull"),
    "gzip": (lambda p: gzip.compress(p.read_bytes()), "a gzip archive; unpack it first"),
    "tar": (_tar, "a tar archive; unpack it first"),
    "zip": (_zip, r"a zip archive that holds drive/w\.pt; unpack it first"),
    "index": (lambda p: b'{"weight_map": {}}', "JSON, such as the index of a checkpoint in several files"),
    "keras": (lambda p: b"\x89HDF\r\n\x1a\n" + b"\0" * 60, "an HDF5 file"),
    "numpy": (lambda p: b"\x93NUMPY\x01\0" + b"\0" * 60, "an array of numpy"),
}


@pytest.mark.parametrize("name", INSTEAD)
def test_what_came_in_place_of_weights_is_named(tmp_path, name):
    make, told = INSTEAD[name]
    torch.save({"g_ema": STATE}, tmp_path / "w.pt")
    (tmp_path / "got.pt").write_bytes(make(tmp_path / "w.pt"))
    with pytest.raises(CheckpointError, match=told):
        load_generator(tmp_path / "got.pt")


UNLIKE = {
    "meta": lambda tensor: tensor.to("meta"),
    "integers": lambda tensor: (tensor * 100).to(torch.int8),
    "complex": lambda tensor: tensor.to(torch.complex64),
    "sparse": lambda tensor: tensor.to_sparse(),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", UNLIKE)
def test_tensors_that_are_not_plain_numbers_are_named(tmp_path, name):
    state = {**STATE, "conv1.conv.weight": UNLIKE[name](STATE["conv1.conv.weight"])}
    torch.save({"g_ema": state}, tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match=r"1 not plain numbers \(conv1\.conv\.weight\)"):
        load_generator(tmp_path / "w.pt")


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_any_floating_point_kind_is_read(tmp_path, kind):
    large = {name: value.to(kind) + (50_000 if name == "conv1.conv.weight" else 0) for name, value in STATE.items()}
    torch.save({"g_ema": large}, tmp_path / "w.pt")
    assert load_generator(tmp_path / "w.pt").conv1.conv.weight.mean() > 49_000
