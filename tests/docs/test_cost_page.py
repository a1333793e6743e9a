"""The figures of the cost page are those of the networks, the cards and the committed records."""

from __future__ import annotations

import pytest

from textedit_workshop.pages import cost_model
from textedit_workshop.perf import edit_cost


def test_the_page_is_what_the_tool_writes():
    text = cost_model.PAGE.read_text()
    shown = text[text.index(cost_model.BEGIN) + len(cost_model.BEGIN) : text.index(cost_model.END)]
    assert shown.strip() == cost_model.page().strip(), "run: python -m textedit_workshop.pages.cost_model"


def test_cells_go_to_the_gpu_that_is_free_first():
    assert cost_model.schedule([3.0, 2.0, 2.0, 1.0], 2) == 4.0
    assert cost_model.schedule([5.0, 1.0], 8) == 5.0
    assert cost_model.schedule([1.5] * 4, 1) == 6.0


def test_a_transformer_is_counted_as_large_as_published():
    # Radford et al. 2021: about 4.4 and 81 billion multiply-adds for the two towers.
    assert cost_model.transformer(768, 12, 224, 32).forward / 2e9 == pytest.approx(4.4, rel=0.05)
    assert cost_model.transformer(1024, 24, 224, 14).forward / 2e9 == pytest.approx(81, rel=0.05)


def test_threads_work_beside_the_gpu_and_the_rest_waits():
    beside = cost_model.Beside()
    assert beside.total <= 60, "milliseconds of processor time per edited picture of 1024 pixels"
    waiting = beside.waiting * 1000 / 3.6e6
    assert beside.hours(10.0, 1000, png=True) == pytest.approx(10.0 + waiting)
    encoding = beside.threaded * 1000 / cost_model.THREADS / 3.6e6
    assert beside.hours(0.0, 1000, png=True) == pytest.approx(encoding + waiting)
    assert beside.hours(0.0, 1000, png=False) < beside.hours(0.0, 1000, png=True)


def test_what_is_measured_is_what_the_page_shows(monkeypatch):
    monkeypatch.setattr(edit_cost, "REPEATS", 1)
    committed = cost_model.rows_of(cost_model.BESIDE)
    found = edit_cost.rows()
    assert [row["work"] for row in found] == [row["work"] for row in committed]
    assert all(float(row["now_ms"]) <= 1.5 * float(row["before_ms"]) for row in found), "nothing became slower"
