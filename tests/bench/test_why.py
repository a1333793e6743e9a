"""The page and ``why`` speak of the table that was written last, not of whatever else is stored."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pandas as pd
import pytest

from textedit_bench.bench.store import Store
from textedit_bench.report.table_provenance import FILE, collect_stored
from textedit_bench.report.why import explain

ADDRESS = "shift/tiny/clip_score/trained"


def _table_value(results: Path) -> float:
    with (results / "mini" / "table.csv").open(encoding="utf-8") as file:
        (row,) = (r for r in csv.DictReader(file) if r["method"] == "shift" and r["prompt_set"] == "trained")
    return float(row["clip_score"])


def test_why_explains_the_last_table_although_a_larger_run_is_stored(tiny, tmp_path):
    results = tmp_path / "results"
    tiny.run(results, "shift", "styles", images=4)
    before = _table_value(results)
    tiny.run(results, "shift", images=3)
    now = _table_value(results)
    assert now != before
    (entry,) = explain(Store(results), "mini", ADDRESS)
    assert entry.value == pytest.approx(now, abs=1e-6) and entry.images == 3
    (part,) = collect_stored(Store(results), "mini")
    assert {cell.identity.images.count for cell in part.cells} == {3}
    # A cell that is not in the table can still be asked for by its digest.
    old = next(c for c in (results / "mini" / "tiny" / "styles").iterdir() if c.is_dir()).name
    assert {why.address.split("/")[0] for why in explain(Store(results), "mini", old)} == {"styles"}


def test_why_says_what_the_table_says_of_every_row(tiny, tmp_path):
    tiny.run(tmp_path, "shift", settings={"size": 2.0}, prompts=("blond", "cap"))  # its rows have fewer prompts
    tiny.run(tmp_path, "shift")
    table = pd.read_csv(tmp_path / "mini" / "table.csv")
    assert table["title"].nunique() == 5  # two settings, the control of each, and one more
    for metric in ("success", "lpips", "kid_inversion"):
        figures = [metric, f"{metric}_low", f"{metric}_high"]
        written = {(row["title"], row["prompt_set"]): row[figures] for _, row in table.iterrows()}
        entries = [
            why for m in table["method"].unique() for why in explain(Store(tmp_path), "mini", f"{m}/tiny/{metric}")
        ]
        assert len(entries) == len(written)
        for why in entries:
            expected = written[why.title, why.address.rsplit("/", 1)[1]].astype(float)
            assert [why.value, why.low, why.high] == pytest.approx(list(expected), nan_ok=True)


def test_without_the_note_the_fullest_protocol_is_taken(tiny, tmp_path):
    results = tmp_path / "results"
    tiny.run(results, "shift", "styles", images=4)
    tiny.run(results, "shift", images=3)
    (results / "mini" / FILE).write_text("[damaged")
    (entry,) = explain(Store(results), "mini", ADDRESS)
    assert entry.images == 4


def test_copies_never_decide_what_is_shown_however_many_there_are(tiny, tmp_path):
    results = tmp_path / "results"
    tiny.run(results, "shift", images=3)
    folder = results / "mini" / "tiny"
    for path in folder.iterdir():
        if path.is_dir() and path.name not in ("_inputs", "shift", "random-direction"):
            shutil.rmtree(path)  # as many copies as edits are left, which have one strength instead of three
    for note in (True, False):
        if not note:
            (results / "mini" / FILE).unlink()
        (part,) = collect_stored(Store(results), "mini")
        assert {cell.identity.method for cell in part.cells} == {"shift", "random-direction"}
    copy = next(c for c in (folder / "random-direction").iterdir() if c.is_dir()).name
    assert {why.address.split("/")[0] for why in explain(Store(results), "mini", copy)} == {"random-direction"}
