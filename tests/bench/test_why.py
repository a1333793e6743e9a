"""The page and ``why`` speak of the table that was written last, not of whatever else is stored."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from textedit_bench.bench.store import Store
from textedit_bench.report.html_page.choose import collect_stored
from textedit_bench.report.table_provenance import FILE
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


def test_without_the_note_the_fullest_protocol_is_taken(tiny, tmp_path):
    results = tmp_path / "results"
    tiny.run(results, "shift", "styles", images=4)
    tiny.run(results, "shift", images=3)
    (results / "mini" / FILE).write_text("[damaged")
    (entry,) = explain(Store(results), "mini", ADDRESS)
    assert entry.images == 4
