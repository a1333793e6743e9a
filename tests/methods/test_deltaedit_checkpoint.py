"""Released layouts and ours load; damaged and hostile files are refused with one line and run nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from textedit_bench.errors import UserError
from textedit_bench.models.storage import save_network
from textedit_methods.deltaedit.method import DeltaEdit
from textedit_methods.deltaedit.network import DeltaMapper, DeltaModel
from textedit_methods.deltaedit.released import load_relevance

GROUPS = {"coarse": (3, 4), "medium": (4, 5), "fine": (1, 7)}


def _mapper(**options):
    torch.manual_seed(0)
    return DeltaMapper(GROUPS, 6, **options)


def _same(found, wanted):
    assert found.config == wanted.config
    state = wanted.state_dict()
    assert list(found.state_dict()) == list(state)
    assert all(torch.equal(value, state[name]) for name, value in found.state_dict().items())
    assert not found.training and not any(parameter.requires_grad for parameter in found.parameters())


@pytest.mark.parametrize("prefix", ["", "module.", "net.", "module.mapper."])
@pytest.mark.parametrize("wrapped", [False, True])
def test_released_files(tmp_path, prefix, wrapped):
    state = {prefix + name: value for name, value in _mapper().state_dict().items()}
    state["decoder.conv1.conv.weight"] = torch.zeros(2)
    torch.save({"state_dict": state, "opts": {}} if wrapped else state, tmp_path / "a.pth")
    found = DeltaEdit.load_network(tmp_path / "a.pth")
    _same(found.mapper, _mapper())
    assert found.relevance is None


def test_our_file(tmp_path):
    model = DeltaModel(_mapper(hidden=3, depth=2), torch.randn(39, 3), "correct")
    save_network(model, tmp_path / "a.safetensors", "deltaedit")
    found = DeltaEdit.load_network(tmp_path / "a.safetensors")
    assert torch.equal(found.relevance, model.relevance) and found.clip_preprocessing == "correct"
    _same(found.mapper, model.mapper)
    save_network(model.mapper, tmp_path / "a.safetensors", "deltaedit")
    _same(DeltaEdit.load_network(tmp_path / "a.safetensors").mapper, model.mapper)


class _Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_files_that_run_code_are_refused_and_do_not_run(tmp_path):
    mark = tmp_path / "ran"
    torch.save({**_mapper().state_dict(), "opts": _Bomb(mark)}, tmp_path / "a.pth")
    np.save(tmp_path / "fs3.npy", np.array([_Bomb(mark)], dtype=object), allow_pickle=True)
    for read in (
        lambda: DeltaEdit.load_network(tmp_path / "a.pth"),
        lambda: load_relevance(tmp_path / "fs3.npy", 1, 1),
    ):
        with pytest.raises(UserError, match=r"a\.pth|fs3\.npy") as caught:
            read()
        assert "\n" not in str(caught.value)
    assert not mark.exists()


def _spoil(case):
    state = _mapper().state_dict()
    match case:
        case "no mapper":
            return {"decoder.x": torch.zeros(1)}
        case "list":
            return [1]
        case "missing tensor":
            del state["fm_fine.mapping.0.bias"]
        case "no width":
            del state["sm_medium.mapping.1.weight"]
        case "misshapen":
            state["fm_fine.mapping.0.weight"] = torch.zeros(3, 3)
        case "surplus":
            state["fm_fine.mapping.9.weight"] = torch.zeros(3, 3)
        case "not finite":
            state["sm_fine.mapping.1.bias"] = torch.full((7,), float("nan"))
        case "integers":
            state["sm_fine.mapping.1.bias"] = torch.zeros(7, dtype=torch.long)
        case "text":
            state["sm_fine.mapping.1.bias"] = "text"
    return dict(state)


@pytest.mark.parametrize(
    "case",
    ["no mapper", "list", "missing tensor", "no width", "misshapen", "surplus", "not finite", "integers", "text"],
)
def test_spoilt_files_are_refused_by_name(tmp_path, case):
    torch.save(_spoil(case), tmp_path / "bad.pth")
    with pytest.raises(UserError, match=r"bad\.pth"):
        DeltaEdit.load_network(tmp_path / "bad.pth")


def test_short_relevance_files_leave_the_last_channels_alone(tmp_path):
    short = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float16)
    np.save(tmp_path / "fs3.npy", short)
    found = load_relevance(tmp_path / "fs3.npy", 8, 3)
    assert found.dtype == torch.float32 and np.array_equal(found[:5].numpy(), short.astype(np.float32))
    assert found.shape == (8, 3) and not found[5:].any()


@pytest.mark.parametrize(
    "array",
    [np.zeros((9, 3), "f4"), np.zeros((8, 4), "f4"), np.zeros((8, 3), "i4"), np.zeros(8), np.full((8, 3), np.inf)],
)
def test_relevance_files_that_do_not_fit_are_refused(tmp_path, array):
    np.save(tmp_path / "fs3.npy", array)
    with pytest.raises(UserError, match=r"fs3\.npy"):
        load_relevance(tmp_path / "fs3.npy", 8, 3)
    with pytest.raises(UserError, match="no such file"):
        load_relevance(tmp_path / "other.npy", 8, 3)
