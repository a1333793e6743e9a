"""Released layouts and ours load; damaged and hostile files are refused with one line and run nothing."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest
import torch

from textedit_bench.errors import UserError
from textedit_bench.latent_mapper.network import LevelsMapper, SingleMapper, StyleMapper
from textedit_bench.models.storage import save_network
from textedit_methods.styleclip_mapper.method import StyleCLIPMapper

WIDTHS = [6, 6, 6, 5, 5, 5, 4, 4]  # conv, rgb, conv, conv, rgb, conv, conv, rgb
CONVS = [0, 2, 3, 5, 6]
MAKERS = {
    "single": lambda: SingleMapper(6),
    "levels": lambda: LevelsMapper(6),
    "no fine": lambda: LevelsMapper(6, ["coarse", "medium"]),
    "fine alone": lambda: LevelsMapper(6, ["fine"]),
    "styles": lambda: StyleMapper(WIDTHS, CONVS),
    "styles with rgb": lambda: StyleMapper(WIDTHS, range(8)),
}


def _released(mapper, prefix="mapper."):
    state = {prefix + name: value for name, value in mapper.state_dict().items()}
    return {**state, "decoder.style.1.weight": torch.zeros(2), "decoder.input.input": torch.zeros(1)}


def _same(found, wanted):
    assert type(found) is type(wanted) and found.config == wanted.config
    state = wanted.state_dict()
    assert list(found.state_dict()) == list(state)
    assert all(torch.equal(value, state[name]) for name, value in found.state_dict().items())
    assert not found.training and not any(parameter.requires_grad for parameter in found.parameters())


@pytest.mark.parametrize("kind", MAKERS)
def test_released_files_and_ours(tmp_path, kind):
    torch.manual_seed(0)
    mapper = MAKERS[kind]()
    torch.save({"state_dict": _released(mapper), "opts": Namespace(lr=0.5)}, tmp_path / "a.pt")
    _same(StyleCLIPMapper.load_network(tmp_path / "a.pt"), mapper)
    save_network(mapper, tmp_path / "a.safetensors", "styleclip-mapper")
    _same(StyleCLIPMapper.load_network(tmp_path / "a.safetensors"), mapper)


@pytest.mark.parametrize("prefix", ["", "mapper.", "module.", "module.mapper.", "net.mapper."])
def test_bare_state_dicts(tmp_path, prefix):
    mapper = LevelsMapper(6)
    torch.save({prefix + name: value for name, value in mapper.state_dict().items()}, tmp_path / "a.pt")
    _same(StyleCLIPMapper.load_network(tmp_path / "a.pt"), mapper)


def test_our_file_keeps_the_norm(tmp_path):
    save_network(SingleMapper(6, "channels"), tmp_path / "a.safetensors", "styleclip-mapper")
    assert StyleCLIPMapper.load_network(tmp_path / "a.safetensors").config["normalise"] == "channels"


class _Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_a_pickle_that_runs_code_is_refused_and_does_not_run(tmp_path):
    mark = tmp_path / "ran"
    torch.save({"state_dict": _released(SingleMapper(6)), "opts": _Bomb(mark)}, tmp_path / "a.pt")
    with pytest.raises(UserError, match=r"a\.pt") as caught:
        StyleCLIPMapper.load_network(tmp_path / "a.pt")
    assert "\n" not in str(caught.value) and not mark.exists()


def _spoil(case):
    state = _released(LevelsMapper(6))
    first = "mapper.course_mapping.mapping."
    match case:
        case "no mapper":
            return {"decoder.style.1.weight": torch.zeros(2)}
        case "list":
            return [1]
        case "missing tensor":
            del state[first + "2.bias"]
        case "surplus tensor":
            state["mapper.other.weight"] = torch.zeros(2)
        case "two kinds":
            state |= _released(SingleMapper(6))
        case "two widths":
            state |= _released(LevelsMapper(5, ["fine"]))
        case "no width":
            del state[first + "4.weight"]
        case "not finite":
            state[first + "1.weight"] = torch.full((6, 6), float("inf"))
        case "not a tensor":
            state[first + "1.weight"] = "text"
        case "integers":
            state[first + "1.weight"] = torch.zeros(6, 6, dtype=torch.long)
        case "enormous":
            state[first + "4.weight"] = torch.zeros(1).expand(2_000_000, 2_000_000)
        case "style without width":
            return {n: v for n, v in _released(StyleMapper(WIDTHS, CONVS)).items() if "mapper_3" not in n}
    return state


@pytest.mark.parametrize(
    "case",
    ["no mapper", "list", "missing tensor", "surplus tensor", "two kinds", "two widths", "no width", "not finite",
     "not a tensor", "integers", "enormous", "style without width"],
)  # fmt: skip
def test_spoilt_files_are_refused_by_name(tmp_path, case):
    torch.save({"state_dict": _spoil(case)}, tmp_path / "bad.pt")
    with pytest.raises(UserError, match=r"bad\.pt"):
        StyleCLIPMapper.load_network(tmp_path / "bad.pt")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", b"\x08\x00\x00\x00\x00\x00\x00\x00{broken}"])
def test_damaged_files_are_refused_by_name(tmp_path, content):
    (tmp_path / "bad.pt").write_bytes(content)
    with pytest.raises(UserError, match=r"bad\.pt"):
        StyleCLIPMapper.load_network(tmp_path / "bad.pt")


def test_a_file_of_another_network_is_refused(tmp_path):
    from textedit_methods.ffclip.network import DynamicMapper

    save_network(DynamicMapper(3, 8), tmp_path / "a.safetensors", "ffclip")
    with pytest.raises(UserError, match="holds a DynamicMapper, not the network of StyleCLIP mapper"):
        StyleCLIPMapper.load_network(tmp_path / "a.safetensors")
