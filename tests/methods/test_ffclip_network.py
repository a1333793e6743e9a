"""The mapper gives the numbers of the published code, for any number of rows, and stays apart from precision tricks."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from textedit_methods.ffclip.network import DynamicMapper

PARITY = Path(__file__).parent / "parity"


def _fill():
    spec = importlib.util.spec_from_file_location("parity_fill", PARITY / "fill.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def fixture():
    """Manifest, stored outputs, official tensors by name, code and text (float64)."""
    fill = _fill()
    manifest = json.loads((PARITY / "ffclip_dynamic_mapper.manifest.json").read_text())
    stored = np.load(PARITY / "ffclip_dynamic_mapper.npz")
    tensors = {
        name: torch.from_numpy(fill.weight(name, entry["shape"], manifest["salt"]))
        for name, entry in manifest["tensors"].items()
    }
    for name, want in manifest["fill_check"].items():
        assert np.allclose(tensors[name].flatten()[: len(want)].numpy(), want, rtol=1e-6, atol=1e-7)
    code, text = (torch.from_numpy(fill.source(manifest, name)).double() for name in ("wplus", "text"))
    return manifest, stored, tensors, code, text


def _close(manifest, stored, name, value):
    spec = manifest["outputs"][name]
    assert list(value.shape) == spec["shape"]
    assert float(np.abs(value.numpy() - stored[name].astype(np.float64)).max()) <= spec["tol"], name


@torch.no_grad()
def test_published_numbers_block_by_block_and_together(fixture):
    manifest, stored, tensors, code, text = fixture
    mapper = DynamicMapper(18, 512)
    mapper.load_state_dict({name: value for name, value in tensors.items() if ".fc." not in name})
    mapper.double()
    normed = code * torch.rsqrt(code.square().mean(dim=1, keepdim=True) + 1e-8)
    _close(manifest, stored, "block0_attention_layer", mapper.att_mapper[0].attention_layer(normed, text))
    previous = code
    for index, block in enumerate(mapper.att_mapper):
        _close(manifest, stored, f"block{index}", block(previous, text))
        previous = torch.from_numpy(stored[f"block{index}"]).double()
    delta = mapper(code, text.squeeze(1))
    _close(manifest, stored, "delta", delta)
    _close(manifest, stored, "w_hat", code + delta)
    single = mapper.float()(code.float(), text.float())
    assert float((single - delta).abs().max()) <= manifest["outputs"]["delta"]["tol"]


@pytest.mark.parametrize(("rows", "dim"), [(10, 128), (14, 512), (16, 512), (1, 8)])
def test_any_rows_and_width(rows, dim):
    torch.manual_seed(0)
    mapper = DynamicMapper(rows, dim)
    delta = mapper(torch.randn(3, rows, dim), torch.randn(3, dim))
    assert delta.shape == (3, rows, dim)
    delta.sum().backward()
    assert all(parameter.grad is not None for parameter in mapper.parameters())


def test_channel_attention_is_its_plain_formula():
    torch.manual_seed(0)
    attention = DynamicMapper(6, 24).att_mapper[0].attention_layer.double()
    x, text = torch.randn(2, 6, 24).double(), 3 * torch.randn(2, 1, 24).double()
    query, value = attention.q_matrix(x), attention.v_matrix(x)
    key = attention.k_matrix(text.transpose(1, 2))  # [B, d, rows]
    attended = value @ torch.softmax(key @ query / 24**0.5, dim=-1)
    wanted = torch.nn.functional.layer_norm(attended.mean(dim=1, keepdim=True), (24,), eps=1e-5)
    assert torch.allclose(attention(x, text), wanted, atol=1e-10)


def test_wrong_shapes_are_refused():
    mapper = DynamicMapper(4, 8)
    with pytest.raises(ValueError, match=r"codes \[B, 4, 8\]"):
        mapper(torch.zeros(2, 5, 8), torch.zeros(2, 8))
    with pytest.raises(ValueError, match=r"texts \[2, 8\]"):
        mapper(torch.zeros(2, 4, 8), torch.zeros(1, 8))


def test_autocast_does_not_reach_the_attention():
    torch.manual_seed(0)
    mapper = DynamicMapper(4, 16)
    code, text = torch.randn(2, 4, 16), torch.randn(2, 16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = mapper(code, text)
    assert inside.dtype == torch.float32
    assert torch.equal(inside, mapper(code, text))


def test_last_activation_makes_offsets_one_sided_unless_asked_otherwise():
    torch.manual_seed(0)
    published, linear = DynamicMapper(4, 32), DynamicMapper(4, 32, final_slope=1.0)
    linear.load_state_dict(published.state_dict())
    code, text = torch.randn(8, 4, 32), torch.randn(8, 32)
    one_sided, both = published(code, text), linear(code, text)
    assert torch.allclose(one_sided, torch.where(both > 0, both, 0.01 * both))
    assert both.min() < -0.1 < one_sided.min()


def test_start_scale_scales_the_first_offsets():
    torch.manual_seed(0)
    whole = DynamicMapper(4, 32)
    torch.manual_seed(0)
    tenth = DynamicMapper(4, 32, start_scale=0.1)
    code, text = torch.randn(8, 4, 32), torch.randn(8, 32)
    assert torch.allclose(tenth(code, text), 0.1 * whole(code, text), atol=1e-6)
