"""Tensors on disk in 8 bits: bounded error, exact names and shapes, and nothing else touched."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from textedit_bench.models.state_dicts import exact_precision, pack, round_to, unpack
from textedit_bench.models.storage import read_tensors, write_tensors


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 3), st.integers(2, 40), st.integers(30, 80), st.floats(1e-6, 1e3), st.integers(0, 999))
def test_every_weight_stays_within_half_a_level_of_its_row(leading, rows, columns, size, seed):
    tensor = torch.randn(1, rows, columns * leading, generator=torch.Generator().manual_seed(seed)) * size
    back = unpack(pack({"w": tensor}, "int8"))["w"]
    if tensor.numel() < 1024:
        assert (back - tensor).abs().max() <= 1e-3 * tensor.abs().max() + 1e-7
        return
    level = tensor.abs().amax(2, keepdim=True) / 127
    assert back.shape == tensor.shape and back.dtype == torch.float32
    assert ((back - tensor).abs() <= 0.5001 * level).all()


@settings(max_examples=30, deadline=None)
@given(st.floats(1e-6, 1e3), st.integers(0, 999))
def test_packing_twice_gives_the_same_bytes(size, seed):
    tensor = torch.randn(40, 64, generator=torch.Generator().manual_seed(seed)) * size
    first = pack({"w": tensor}, "int8")
    again = pack(unpack(first), "int8")
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_the_narrowest_exact_form_is_found():
    tensor = torch.randn(40, 64)
    forms = {"int8": unpack(pack({"w": tensor}, "int8"))["w"], "float16": tensor.half().float(), "float32": tensor}
    assert {name: exact_precision({"w": form}) for name, form in forms.items()} == {name: name for name in forms}


def test_a_rounded_network_is_what_its_file_holds(tmp_path):
    network = torch.nn.Linear(64, 64)
    round_to(network, "int8")
    path = write_tensors(network.state_dict(), tmp_path / "n.safetensors", {}, "int8")
    stored = read_tensors(path)[0]
    assert all(torch.equal(stored[name], value) for name, value in network.state_dict().items())


def test_rows_of_zeros_and_integers_survive():
    tensors = {"zero": torch.zeros(40, 64), "count": torch.arange(3000).reshape(30, 100), "flag": torch.tensor([True])}
    back = unpack(pack(tensors, "int8"))
    assert all(torch.equal(back[name], tensor) for name, tensor in tensors.items())


def test_the_file_is_a_quarter_of_full_precision(tmp_path):
    tensors = {"w": torch.randn(256, 256), "bias": torch.randn(256)}
    small = write_tensors(tensors, tmp_path / "a.safetensors", {}, "int8")
    full = write_tensors(tensors, tmp_path / "b.safetensors", {})
    assert small.stat().st_size < 0.27 * full.stat().st_size
    assert read_tensors(small)[0].keys() == tensors.keys()


def test_values_that_are_not_finite_are_refused():
    broken = torch.randn(40, 64)
    broken[3, 5] = float("nan")
    with pytest.raises(ValueError, match="w"):
        pack({"w": broken}, "int8")
