"""Progress: plain lines for files, a bar for terminals, time left from the cells that took work."""

from __future__ import annotations

import io

import pytest

from textedit_bench.bench import progress
from textedit_bench.bench.progress import BenchSummary, CellOutcome, State


def outcome(state: State = State.DONE, label: str = "m / d / p", reason: str = "") -> CellOutcome:
    return CellOutcome(label, "0" * 16, state, reason, seconds=2.0)


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_plain_lines_count_cells_and_tell_the_time_left(clock):
    stream = io.StringIO()
    reporter = progress.PlainReporter(stream)
    reporter.begin(4)
    reporter.ended(outcome(State.CACHED))
    clock[0] += 30
    reporter.ended(outcome())
    reporter.ended(outcome(State.FAILED, reason="no"))
    reporter.ended(outcome())
    assert stream.getvalue().splitlines() == [
        "[1/4] cached: m / d / p",
        "[2/4] done: m / d / p  2.0 s  (1:00 left)",
        "[3/4] failed: m / d / p: no  (0:30 left)",
        "[4/4] done: m / d / p  2.0 s",
    ]


def test_a_terminal_shows_labels_as_they_are(capsys):
    reporter = progress.TerminalReporter()
    reporter.begin(2)
    reporter.working("m / d / [red]p")
    reporter.ended(outcome(label="m / d / [red]p"))
    reporter.note("[bold]note")
    reporter.close()
    shown = capsys.readouterr()
    assert "m / d / [red]p" in shown.err and "[bold]note" in shown.err
    assert shown.out == ""


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (65.4, "1:05"), (3725, "1:02:05")])
def test_durations(seconds, text):
    assert progress.duration(seconds) == text


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ([State.DONE, State.CACHED, State.NOT_APPLICABLE], 0),
        ([State.DONE, State.FAILED], 1),
        ([State.OUT_OF_MEMORY], 1),
        ([State.FAILED, State.INTERRUPTED], 130),
        ([], 0),
    ],
)
def test_the_exit_code_says_how_the_cells_ended(states, code):
    summary = BenchSummary(tuple(outcome(state) for state in states), 1.0)
    assert summary.exit_code == code
    assert summary.to_json()["exit_code"] == code


def test_the_summary_names_what_went_wrong_and_what_was_written(tmp_path):
    failed = CellOutcome("m / d / q", "1", State.FAILED, "ValueError: no", failure=tmp_path / "failure.json")
    summary = BenchSummary((outcome(), failed), 3.0, (tmp_path / "table.md",), {"mini": "TABLE"}, ("be careful",))
    text = summary.text()
    assert text.startswith("TABLE\n")
    assert f"failed: m / d / q: ValueError: no  ({tmp_path / 'failure.json'})" in text
    assert "2 cells in 3 s: 1 done, 1 failed" in text
    assert "note: be careful" in text and str(tmp_path / "table.md") in text


def test_cells_with_one_reason_share_a_line_of_the_summary_and_failures_come_first():
    refused = [outcome(State.NOT_APPLICABLE, f"m{i} / d / p", f"reason {i % 25}") for i in range(75)]
    failed = [outcome(State.FAILED, f"n / d / p{i}", "ValueError: no") for i in range(3)]
    lines = BenchSummary((*refused, *failed), 1.0).text().splitlines()
    assert lines[0] == "failed: n / d / p0 and 2 more: ValueError: no"
    assert lines[1] == "not applicable: m0 / d / p and 2 more: reason 0"
    assert lines[20] == "... and 6 more" and lines[21].startswith("78 cells")


def test_every_bench_of_a_run_is_counted_on_its_own():
    # `reproduce` runs one bench after another: its second one once said [1196/360].
    stream = io.StringIO()
    reporter = progress.PlainReporter(stream)
    for cells in (2, 1):
        reporter.begin(cells)
        for number in range(cells):
            reporter.ended(outcome(State.CACHED, f"cell {number}"))
    assert [line.split()[0] for line in stream.getvalue().splitlines()] == ["[1/2]", "[2/2]", "[1/1]"]
