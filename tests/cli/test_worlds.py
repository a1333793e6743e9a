"""``worlds``: pictures of the renderer, drawn without any trained network; what needs the workshop says so."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image

from textedit_bench.registry import list_datasets

NAME = next(card.name for card in list_datasets() if card.tiers["mini"].world)


def test_a_sheet_of_renders_is_the_same_for_the_same_seed_only(run, tmp_path):
    def draw(name, seed):
        path = tmp_path / name
        ended = run("worlds", "sheet", "-d", NAME, "-n", "4", "--seed", str(seed), "-o", str(path))
        assert (ended.code, ended.out) == (0, f"{path}\n")
        return np.asarray(Image.open(path))

    first, again, other = draw("a.png", 0), draw("b.png", 0), draw("c.png", 1)
    side = next(card for card in list_datasets() if card.name == NAME).tiers["mini"].resolution
    assert first.shape == (2 * side, 2 * side, 3)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert len({first[:side, :side].tobytes(), first[side:, side:].tobytes()}) == 2


@pytest.mark.parametrize("command", ["train", "check"])
def test_without_the_workshop_one_line_says_what_is_needed(run, monkeypatch, command):
    monkeypatch.setitem(sys.modules, "textedit_workshop", None)
    ended = run("worlds", command, "-d", NAME)
    needed = "needs a clone of the repository (textedit_workshop is missing); make venv installs it there"
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines() == [f"textedit-bench: worlds {command} {needed}"]
