"""Released layouts and ours load; damaged and hostile files are refused with one line and run nothing."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from textedit_bench.errors import UserError
from textedit_bench.models.storage import save_network
from textedit_methods.ffclip.method import FFCLIP
from textedit_methods.ffclip.network import DynamicMapper


def _mapper(rows: int = 6, dim: int = 12, blocks: int = 4) -> DynamicMapper:
    torch.manual_seed(3)
    return DynamicMapper(rows, dim, blocks)


def _released(mapper: DynamicMapper) -> dict[str, torch.Tensor]:
    """Names as the released trainer saves them: the mapper, its unused layers, and the whole generator."""
    state = {f"module.att_mapper.{name}": value for name, value in mapper.state_dict().items()}
    for block in range(len(mapper.att_mapper)):
        state[f"module.att_mapper.att_mapper.{block}.fc.weight"] = torch.zeros(mapper.dim, mapper.dim)
        state[f"module.att_mapper.att_mapper.{block}.fc.bias"] = torch.zeros(mapper.dim)
    return {
        **state,
        "module.generator.conv1.conv.weight": torch.zeros(3),
        "module.generator.noises.noise_0": torch.ones(1),
    }


def _same(network: DynamicMapper, mapper: DynamicMapper) -> None:
    wanted, found = mapper.state_dict(), network.state_dict()
    assert list(found) == list(wanted)
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)
    assert not network.training and not any(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.parametrize("rows", [14, 16, 18])
def test_released_file(tmp_path, rows):
    mapper = _mapper(rows)
    torch.save({"state_dict": _released(mapper), "opts": {"lr": 5e-4, "name": "x"}}, tmp_path / "a.pt")
    _same(FFCLIP.load_network(tmp_path / "a.pt"), mapper)


@pytest.mark.parametrize("prefix", ["", "att_mapper.", "module.", "module.att_mapper."])
def test_bare_state_dicts(tmp_path, prefix):
    mapper = _mapper(blocks=2)
    torch.save({prefix + name: value for name, value in mapper.state_dict().items()}, tmp_path / "a.pt")
    _same(FFCLIP.load_network(tmp_path / "a.pt"), mapper)


def test_our_file_keeps_the_slope(tmp_path):
    torch.manual_seed(0)
    mapper = DynamicMapper(3, 8, final_slope=0.5)
    save_network(mapper, tmp_path / "a.safetensors", "ffclip")
    loaded = FFCLIP.load_network(tmp_path / "a.safetensors")
    assert loaded.final_slope == 0.5
    _same(loaded, mapper)


class _Settings:
    """Stands for an OmegaConf object among the settings of a released file."""

    def __init__(self) -> None:
        self.content = {"lr": 5e-4, "self": self}


_Settings.__module__, _Settings.__qualname__, _Settings.__name__ = "omegaconf.dictconfig", "DictConfig", "DictConfig"


def test_settings_of_a_library_are_passed_over(tmp_path, monkeypatch):
    fake = SimpleNamespace(DictConfig=_Settings, __name__="omegaconf.dictconfig")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "omegaconf", SimpleNamespace(dictconfig=fake))
        patch.setitem(sys.modules, "omegaconf.dictconfig", fake)
        torch.save({"state_dict": _released(_mapper()), "opts": {"_content": _Settings()}}, tmp_path / "a.pt")
    _same(FFCLIP.load_network(tmp_path / "a.pt"), _mapper())


class _Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_a_pickle_that_runs_code_is_refused_and_does_not_run(tmp_path):
    mark = tmp_path / "ran"
    torch.save({"state_dict": _released(_mapper()), "extra": _Bomb(mark)}, tmp_path / "zip.pt")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps({"state_dict": _Bomb(mark)}))
    for name in ("zip.pt", "plain.pt"):
        with pytest.raises(UserError, match=name) as caught:
            FFCLIP.load_network(tmp_path / name)
        assert "\n" not in str(caught.value)
    assert not mark.exists()


def _spoil(state, case):
    first = "module.att_mapper.att_mapper.0."
    match case:
        case "no mapper":
            return {"module.generator.x": torch.zeros(1)}
        case "list":
            return [1, 2]
        case "missing tensor":
            del state[first + "beta_.3.bias"]
        case "no rows":
            del state[first + "attention_layer.k_matrix.weight"]
        case "surplus tensor":
            state[first + "surplus.weight"] = torch.zeros(2)
        case "block gap":
            state = {name.replace("att_mapper.3.", "att_mapper.7."): value for name, value in state.items()}
        case "misshapen":
            state[first + "gamma_.0.weight"] = torch.zeros(5, 12)
        case "not finite":
            state[first + "q_matrix.weight"] = torch.full((12, 12), float("nan"))
        case "not a tensor":
            state[first + "q_matrix.weight"] = "text"
        case "integers":
            state[first + "q_matrix.weight"] = torch.zeros(12, 12, dtype=torch.long)
        case "enormous":
            state[first + "q_matrix.weight"] = torch.zeros(1).expand(2_000_000, 2_000_000)
    return state


@pytest.mark.parametrize(
    "case",
    ["no mapper", "list", "missing tensor", "no rows", "surplus tensor", "block gap", "misshapen", "not finite",
     "not a tensor", "integers", "enormous"],
)  # fmt: skip
def test_spoilt_files_are_refused_by_name(tmp_path, case):
    torch.save({"state_dict": _spoil(_released(_mapper()), case)}, tmp_path / "bad.pt")
    with pytest.raises(UserError, match=r"bad\.pt"):
        FFCLIP.load_network(tmp_path / "bad.pt")


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04 not a zip", b"\x08\x00\x00\x00\x00\x00\x00\x00{broken}", b"\x80\x02."]
)
def test_damaged_files_are_refused_by_name(tmp_path, content):
    (tmp_path / "bad.pt").write_bytes(content)
    with pytest.raises(UserError, match=r"bad\.pt"):
        FFCLIP.load_network(tmp_path / "bad.pt")


def test_missing_file():
    with pytest.raises(UserError, match="no such file"):
        FFCLIP.load_network("/nowhere/a.pt")
