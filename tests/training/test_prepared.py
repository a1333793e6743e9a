"""What editors prepare: made once per network and way of computing, and never a reason to stop."""

from __future__ import annotations

import pytest
import torch

from textedit_bench.files import HOME, prepared_folder
from textedit_bench.training.prepared import prepared


class Network:
    name, tier, device, precision = "toy", "mini", torch.device("cpu"), "highest"

    def __init__(self, made="a"):
        self.made = made

    def digest(self, role):
        return f"{role}-{self.made}"


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Counts its calls."""
    monkeypatch.setenv(HOME, str(tmp_path / "home"))
    calls = []

    def made():
        calls.append(1)
        return {"number": torch.tensor([float(len(calls))])}

    made.calls = calls
    return made


def test_it_is_made_once(make):
    for _ in range(2):
        assert prepared(Network(), "samples", ["generator"], [8, 0], make)["number"].item() == 1
    assert len(make.calls) == len(list(prepared_folder().glob("samples/*.safetensors"))) == 1


@pytest.mark.parametrize(
    "other",
    [
        lambda make: prepared(Network("b"), "samples", ["generator"], [8, 0], make),
        lambda make: prepared(Network(), "samples", ["generator", "clip"], [8, 0], make),
        lambda make: prepared(Network(), "samples", ["generator"], [9, 0], make),
        lambda make: prepared(Network(), "components", ["generator"], [8, 0], make),
    ],
)
def test_another_network_setting_or_thing_is_made_anew(make, other):
    prepared(Network(), "samples", ["generator"], [8, 0], make)
    assert other(make)["number"].item() == 2


@pytest.mark.parametrize(("attribute", "value"), [("device", torch.device("cuda", 1)), ("precision", "tf32")])
def test_another_way_of_computing_is_made_anew(make, attribute, value):
    prepared(Network(), "samples", ["generator"], [8, 0], make)
    network = Network()
    setattr(network, attribute, value)
    assert prepared(network, "samples", ["generator"], [8, 0], make)["number"].item() == 2


def test_one_thing_may_need_another(make):
    def effects():
        components = prepared(Network(), "components", ["generator"], [8, 0], make)
        return {"number": components["number"] + 1}

    assert prepared(Network(), "effects", ["generator"], [8, 0], effects)["number"].item() == 2


@pytest.mark.parametrize("damage", [lambda file: file.write_bytes(b"damaged"), lambda file: file.write_bytes(b"")])
def test_a_damaged_file_is_told_and_made_again(make, caplog, damage):
    prepared(Network(), "samples", ["generator"], [8, 0], make)
    damage(next(prepared_folder().glob("samples/*")))
    assert prepared(Network(), "samples", ["generator"], [8, 0], make)["number"].item() == 2
    assert "damaged" in caplog.text
    assert prepared(Network(), "samples", ["generator"], [8, 0], make)["number"].item() == 2


def test_a_home_that_cannot_be_written_is_told_and_the_work_goes_on(make, monkeypatch, tmp_path, caplog):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv(HOME, str(tmp_path / "file"))
    assert prepared(Network(), "samples", ["generator"], [8, 0], make)["number"].item() == 1
    assert "samples of toy are not kept" in caplog.text and HOME in caplog.text
