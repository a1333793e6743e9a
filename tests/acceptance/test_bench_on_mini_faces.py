"""The shipped weights: a small bench runs through, and twice gives the same table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from textedit_bench.benchmark import BenchRequest, run_bench


def _table(results: Path) -> bytes:
    request = BenchRequest(
        methods=("ffclip",),
        datasets=("ffhq",),
        tier="mini",
        prompts=("blond-hair", "glasses"),
        images=4,
        strengths=(0.0, 1.0),
        results=results,
    )
    summary = run_bench(request)
    assert summary.exit_code == 0, summary.text()
    return next(results.rglob("table.csv")).read_bytes()


def test_two_benches_into_empty_folders_give_the_same_table_byte_for_byte(tmp_path):
    first = _table(tmp_path / "first")
    assert first == _table(tmp_path / "second")
    frame = pd.read_csv(tmp_path / "first" / "mini" / "table.csv").set_index("method")
    controls = {"copy-photo", "no-edit", "random-direction", "real-attribute", "wrong-prompt"}
    assert set(frame.index) == {"ffclip"} | controls
    assert (frame["edits"] == 8).all()
    assert frame.loc["ffclip", "clip_score"] > frame.loc["no-edit", "clip_score"]
