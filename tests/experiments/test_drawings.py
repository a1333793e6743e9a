"""An experiment's page has the report's chart, with published values only where they were measured alike."""

from __future__ import annotations

import pytest

from textedit_bench.experiments.comparison import compare
from textedit_bench.experiments.drawings import comparison_drawings
from textedit_bench.experiments.experiment import Experiment
from textedit_bench.experiments.measured import Heading, Measured
from textedit_bench.experiments.reproduce import write_comparison


def _row(method: str, setting: str, value: float, **more: object) -> Measured:
    keys = {"dataset": "d", "metric": "score", "heading": Heading("Score & more", None, 2), "title": method.title()}
    ends = {"low": value - 0.1, "high": value + 0.1}
    return Measured(**{**keys, **ends, "method": method, "setting": setting, "value": value, "n": 9, **more})  # type: ignore[arg-type]


def _table(tier: str, *rows: Measured):
    published = {"dataset": "d", "method": "a", "setting": "1", "metric": "score", "source": "T", "protocol": "known"}
    facts = {"name": "mine", "title": "Mine", "question": "Why?", "citation": "C", "datasets": ("d",)}
    measure = [{"kind": "scores", "metrics": ["score"]}]
    said = [{**published, "value": 0.7, "confidence": "seen"}]
    return compare(Experiment.model_validate({**facts, "measure": measure, "published": said}), tier, rows)


@pytest.mark.parametrize(("tier", "marks"), [("full", 1), ("mini", 0)])
def test_rows_are_methods_with_their_settings_and_published_values_are_small_marks(tier, marks):
    rows = [_row("a", "1", 0.5, best=True), _row("a", "2", 0.4), _row("x", "1", 0.1, control=True, title="Nothing")]
    (drawing,) = comparison_drawings(_table(tier, *rows))
    (axis,) = drawing.draw(width=800.0).axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["A, 2", "A, 1"]
    told = [artist.get_gid() for artist in axis.get_children() if artist.get_gid()]
    assert sum("published: Score & more 0.70" in each for each in told) == marks
    assert any("Nothing: Score & more 0.10" in each for each in told)


def test_where_all_trained_prompts_are_a_setting_only_it_has_rows_and_unseen_prompts_are_small_marks():
    rows = [_row(m, s, 0.5) for m in "abc" for s in ("trained", "unseen", *(f"prompt {i}" for i in range(99)))]
    (drawing,) = comparison_drawings(_table("mini", *rows))
    (axis,) = drawing.draw(width=800.0).axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["A", "B", "C"]
    told = [artist.get_gid() for artist in axis.get_children() if artist.get_gid()]
    assert sum("unseen prompts: Score & more 0.50" in each for each in told) == 3


def test_the_page_begins_with_the_chart(tmp_path):
    table = _table("full", _row("a", "1", 0.5), _row("b", "1", 0.6))
    page = next(path for path in write_comparison(table, tmp_path) if path.suffix == ".html").read_text()
    assert 0 < page.index("Mine on d") < page.index("<svg") < page.index("<table")


def test_too_many_rows_have_no_chart():
    rows = [_row("a", f"setting {i}", 0.5) for i in range(61)]
    assert len(list(comparison_drawings(_table("full", *rows[1:])))) == 1
    assert list(comparison_drawings(_table("full", *rows))) == []


def test_where_nothing_was_measured_there_is_no_chart():
    lacking = _row("a", "1", float("nan"), state="no networks")
    assert list(comparison_drawings(_table("full", lacking))) == []
