"""What doctor says of a method on a data set: ready, or what is missing and where to get it."""

from __future__ import annotations

import json

import pytest

from textedit_bench.cli.doctor import READY, _lines, cells
from textedit_bench.registry import list_methods, load_dataset
from textedit_bench.testing import write_toy_dataset

CARDS = [card for card in list_methods() if not card.control]
NOTHING = next(card.name for card in CARDS if card.trains == "none" and not card.miniature)
RELEASED = next(card.name for card in CARDS if card.miniature)
PER_DATASET = next(card.name for card in CARDS if card.trains == "per-dataset")


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A complete toy data set as the only installed one."""
    path = write_toy_dataset(tmp_path / "toy", judges=True)
    monkeypatch.setattr("textedit_bench.registry.list_datasets", lambda: [load_dataset(path)])
    monkeypatch.setenv("TEXTEDIT_BENCH_HOME", str(tmp_path / "home"))
    return path


def test_a_method_that_trains_nothing_is_ready_where_the_data_set_is(toy):
    assert cells()["toy-face mini"][NOTHING] == READY


def test_a_method_of_released_networks_alone_says_which_are_missing(toy):
    said = cells()["toy-face mini"][RELEASED]
    assert "for toy-face, tier mini, these are missing: generator" in said and "textedit-bench assets" in said


def test_missing_weights_come_with_the_command_that_makes_them(toy):
    said = cells()["toy-face mini"][PER_DATASET]
    assert said.startswith("not trained")
    assert f"textedit-bench train --method {PER_DATASET} --dataset toy-face --tier mini" in said


def test_a_missing_network_is_named_with_its_place(toy):
    (toy.parent / "generator.safetensors").unlink()
    said = cells()["toy-face mini"]
    assert set(said) == {card.name for card in CARDS}
    assert all(f"lacks generator ({toy.parent / 'generator.safetensors'})" in text for text in said.values())


def test_a_role_that_the_card_does_not_name_is_said(toy):
    toy.write_text(toy.read_text().replace("perceptual: perceptual.safetensors", ""))
    assert "a network for the role perceptual" in cells()["toy-face mini"][NOTHING]


def test_methods_that_share_a_fact_share_a_line(toy, run):
    assert _lines({"a": "ready", "b": "no", "c": "ready"}) == ["ready: a, c", "no: b"]
    assert _lines(3) == ["3"]
    shown = run("doctor").out
    assert "toy-face mini: ready: " in shown
    assert json.loads(run("doctor", "--json").out)["cells"]["toy-face mini"][NOTHING] == READY
