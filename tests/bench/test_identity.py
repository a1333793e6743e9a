"""What makes a cell another cell, and what does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from textedit_bench.bench import cell
from textedit_bench.bench.cell import Cell, ImageSet
from textedit_bench.prompt import Prompt
from textedit_bench.seeds import seed_of

CELL = Cell(
    tier="mini",
    dataset="d",
    method="m",
    prompt_id="p",
    prompt=Prompt("a face with p"),
    seed=0,
    strengths=(0.0, 1.0),
    images=ImageSet("evaluation", 4, "abc"),
    networks={"generator": "1", "encoder": "2"},
    weights="w",
    settings={"beta": 0.3},
)


@pytest.mark.parametrize(
    "change",
    [
        {"method": "n"},
        {"dataset": "e"},
        {"prompt": Prompt("a face with q")},
        {"seed": 1},
        {"strengths": (0.0, 2.0)},
        {"images": ImageSet("evaluation", 4, "abd")},
        {"networks": {"generator": "9", "encoder": "2"}},
        {"weights": "v"},
        {"weights": None},
        {"settings": {"beta": 0.4}},
        {"method_version": 2},
        {"matched_to": CELL},
    ],
)
def test_content_changes_the_digest(change):
    assert replace(CELL, **change).digest != CELL.digest


@pytest.mark.parametrize(
    "change", [{"title": "M"}, {"trained": True}, {"control": True}, {"networks": {"encoder": "2", "generator": "1"}}]
)
def test_listing_and_order_do_not(change):
    assert replace(CELL, **change).digest == CELL.digest


def test_a_matched_cell_follows_the_cell_it_is_matched_to():
    other = replace(CELL, weights="v")
    assert replace(CELL, matched_to=CELL).digest != replace(CELL, matched_to=other).digest


def test_the_digest_is_the_same_on_every_machine(monkeypatch):
    monkeypatch.setattr(cell, "RUNNER_VERSION", 1)
    assert CELL.digest == "e46afd82c2ff925b"


def test_another_runner_makes_another_cell(monkeypatch):
    digests = set()
    for version in (1, 2, 3):
        monkeypatch.setattr(cell, "RUNNER_VERSION", version)
        digests.add(CELL.digest)
    assert len(digests) == 3


def test_seeds_depend_on_names_and_values_alone():
    assert seed_of(image="a", prompt="b") == seed_of(prompt="b", image="a")
    assert seed_of(image="a", prompt="b") != seed_of(image="b", prompt="a")
    assert len({seed_of(image=i) for i in range(500)}) == 500
    assert all(0 <= seed_of(image=i) < 2**63 for i in range(500))
