"""GANSpace's arithmetic and the authors' files: estimators, forms of an edit, layouts, spoilt files."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from textedit_bench.errors import UserError
from textedit_bench.models.loading import load_generator
from textedit_bench.training.principal import exact, incremental
from textedit_methods.ganspace.components import Components, spread
from textedit_methods.ganspace.method import GANSpace
from textedit_methods.ganspace.named import NAMED


# -- components ------------------------------------------------------------------------------------------------------
@pytest.fixture
def samples(parity):
    """The fixture and its W samples, [10000, 96] float32."""
    published = parity("ganspace_pca")
    factors, mix, centre = (published.input(name).double() for name in ("factors", "mix", "centre"))
    scale = 3 * published.manifest["config"]["decay"] ** torch.arange(64).double()
    return published, (factors * scale @ mix + centre).float()


def test_the_incremental_estimator_is_the_released_one(samples):
    published, codes = samples
    config = published.manifest["config"]
    found = incremental(codes[: config["rows_fitted"]].split(config["batch"]), config["components"])
    for name in ("act", "lat"):
        published.check(f"{name}_comp", found.comp.float()[:, None])
        published.check(f"{name}_mean", found.mean.float()[None])
    published.check("act_stdev", found.stdev.float())
    published.check("var_ratio", found.ratio.float())
    start, end = config["spread_rows"]
    published.check("lat_stdev", spread(found.comp, codes[start:end]).float())


@pytest.mark.parametrize("batch", [2000, 700])
def test_exact_components_are_the_eigenvectors(samples, batch):
    published, codes = samples
    config = published.manifest["config"]
    found = exact(codes[: config["rows_fitted"]].split(batch), config["components"])
    published.check("exact_comp", found.comp.float()[:, None])
    published.check("exact_stdev", found.stdev.float())
    torch.testing.assert_close(found.mean, codes[: config["rows_fitted"]].double().mean(0))


@given(st.integers(0, 10_000), st.integers(2, 6))
def test_both_estimators_agree_where_nothing_is_forgotten(seed, dim):
    stream = torch.Generator().manual_seed(seed)
    codes = torch.randn(60, dim, generator=stream) * torch.arange(1.0, dim + 1) * 3 + 50
    one, other = exact(codes.split(20), dim), incremental(codes.split(20), dim)
    torch.testing.assert_close(one.stdev, other.stdev, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(one.stdev.square().sum(), codes.double().var(0).sum())
    assert one.ratio.sum() == pytest.approx(1) and other.ratio.sum() == pytest.approx(1)
    assert (one.comp @ other.comp.T).abs().diagonal().min() > 1 - 1e-5
    assert (one.comp.gather(1, one.comp.abs().argmax(1, keepdim=True)) > 0).all()


# -- edits -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def edits(parity, tmp_path):
    """The fixture and its components, by way of the dictionary that circulates."""
    published = parity("ganspace_edit")
    std = published.input("std_raw").abs()
    torch.save({"mean": published.input("mean"), "comp": published.input("comp"), "std": std}, tmp_path / "pca.pt")
    return published, GANSpace.load_network(tmp_path / "pca.pt")


def _strip(components, code, case, form):
    component, start, end, strength = case
    steps = torch.linspace(-strength, strength, 5)
    return torch.cat([components(code, component, start, end, float(step), form) for step in steps])


def test_strips_are_the_published_ones(edits):
    published, components = edits
    config = published.manifest["config"]
    code = published.input("w")[:1, None].expand(-1, config["rows"], -1)
    for number, case in enumerate(config["cases"]):
        published.check(f"strip_{number}", _strip(components, code, case, "offset"))
        published.check(f"strip_centered_{number}", _strip(components, code, case, "centred"))


def test_a_sequence_of_absolute_edits_is_the_published_one(edits):
    published, components = edits
    config = published.manifest["config"]
    codes = [published.input("w")[1:, None].expand(-1, config["rows"], -1)]
    for number, (component, start, end, strength) in enumerate(config["cases"]):
        form = "inverted" if number % 2 else "absolute"
        codes.append(components(codes[-1], component, start, end, strength, form))
    published.check("sequence", torch.cat(codes))


def test_all_rows_of_a_code_move_alike(edits):
    published, components = edits
    codes = published.input("wplus")
    moved = [components(codes, *case, "absolute") for case in published.manifest["config"]["cases"]]
    published.check("wplus_edit", torch.stack(moved, dim=1).flatten(0, 1))


def test_an_edit_renders_as_published(edits, tmp_path):
    published, components = edits
    config = published.manifest["config"]
    average = torch.from_numpy(published.fill.tensor("latent_avg", [512], published.manifest["salt"]))
    torch.save({"g_ema": published.state(), "latent_avg": average}, tmp_path / "g.pt")
    generator = load_generator(tmp_path / "g.pt")
    code = published.input("w")[:1, None].expand(-1, config["rows"], -1)
    with torch.no_grad():
        moved = components(code, *config["cases"][0])
        published.check("image", generator.synthesize(generator.truncate(moved, config["truncation"])))


def test_published_names_fit_the_published_networks():
    for dataset, rows in (("ffhq", 18), ("car", 16), ("cat", 14), ("church", 14)):
        for edit in NAMED[dataset].values():
            assert 0 <= edit.component < 80 and 0 <= edit.start < edit.end <= rows and edit.deviations
    assert NAMED["ffhq"]["bright background"] == (13, 8, 9, 13.0, "offset")
    assert NAMED["ffhq"]["front teeth"] == (59, 4, 5, 40.0, "absolute")
    assert NAMED["car"]["horizontal flip"].form == "inverted"


# -- the authors' files ----------------------------------------------------------------------------------------------
ARRAYS = {
    "mean": np.arange(4, dtype=np.float32)[None],
    "comp": np.eye(3, 4, dtype=np.float32)[:, None],
    "std": np.array([3, 2, 1], np.float32),
}


def _npz(path, drop=(), **other):
    arrays = {
        f"{kind}_{name}": ARRAYS[key]
        for kind in ("act", "lat")
        for key, name in (("mean", "mean"), ("comp", "comp"), ("std", "stdev"))
    }
    arrays |= {"var_ratio": ARRAYS["std"], "random_stdevs": ARRAYS["std"]}
    np.savez_compressed(path, **{name: value for name, value in {**arrays, **other}.items() if name not in drop})


def _same(found):
    assert isinstance(found, Components)
    assert found.mean.tolist() == [0, 1, 2, 3] and found.std.tolist() == [3, 2, 1]
    assert torch.equal(found.comp, torch.eye(3, 4))


def test_both_layouts_are_read_whatever_their_name(tmp_path):
    _npz(tmp_path / "a.npz")
    (tmp_path / "a.npz").rename(tmp_path / "stylegan2-ffhq_style_ipca_c80_n1000000_w")
    _same(GANSpace.load_network(tmp_path / "stylegan2-ffhq_style_ipca_c80_n1000000_w"))
    tensors = {name: torch.from_numpy(value) for name, value in ARRAYS.items()}
    for number, legacy in enumerate((False, True)):
        torch.save(tensors, tmp_path / f"{number}.pt", _use_new_zipfile_serialization=not legacy)
        _same(GANSpace.load_network(tmp_path / f"{number}.pt"))
    _npz(tmp_path / "layer.npz", act_comp=np.zeros((3, 8, 4, 4), np.float32))  # components of another layer beside W's
    _same(GANSpace.load_network(tmp_path / "layer.npz"))


class Bomb:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (type(self.mark).touch, (self.mark,))


def _spoilt(path, what):
    match what:
        case "missing":
            return
        case "empty":
            path.write_bytes(b"")
        case "page":
            path.write_text("<!DOCTYPE html><html></html>")
        case "cut":
            _npz(path.with_suffix(".npz"))
            path.write_bytes(path.with_suffix(".npz").read_bytes()[:-40])
        case "npz without":
            _npz(path.with_suffix(".npz"), drop=("lat_stdev",))
            path.with_suffix(".npz").rename(path)
        case "npz of objects":
            _npz(path.with_suffix(".npz"), lat_mean=np.array([Bomb(path.parent / "went-off")], object))
            path.with_suffix(".npz").rename(path)
        case "bomb":
            torch.save(Bomb(path.parent / "went-off"), path)
        case "list":
            torch.save([1, 2], path)
        case "other zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("a.txt", "hello")
        case "width":
            torch.save({**_tensors(), "mean": torch.zeros(1, 5)}, path)
        case "count":
            torch.save({**_tensors(), "std": torch.ones(2)}, path)
        case "whole numbers":
            _npz(path.with_suffix(".npz"), lat_stdev=np.array([3, 2, 1]))
            path.with_suffix(".npz").rename(path)
        case "nan":
            torch.save({**_tensors(), "std": torch.tensor([1, 2, float("nan")])}, path)


def _tensors():
    return {name: torch.from_numpy(value) for name, value in ARRAYS.items()}


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("missing", "no such file"),
        ("empty", "empty"),
        ("page", "web page|HTML"),
        ("cut", "damaged"),
        ("npz without", "no lat_stdev; holds "),
        ("npz of objects", "damaged, or holds objects"),
        ("bomb", "refused"),
        ("list", "expected a dictionary with mean, comp, std"),
        ("other zip", "a"),
        ("width", "do not fit together"),
        ("count", "do not fit together"),
        ("whole numbers", "floating-point"),
        ("nan", "not finite"),
    ],
)
def test_spoilt_components_are_refused_in_one_line(tmp_path, what, said):
    path = tmp_path / "spoilt.bin"
    _spoilt(path, what)
    with pytest.raises(UserError, match=said) as refused:
        GANSpace.load_network(path)
    assert "spoilt.bin" in str(refused.value) and "\n" not in str(refused.value)
    assert not (tmp_path / "went-off").exists()
