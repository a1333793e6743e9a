"""``table``: prints what was stored, byte for byte, and knows what there is."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("form", ["md", "csv", "tex", "html"])
def test_a_stored_table_is_printed_unchanged(run, tmp_path, form):
    (tmp_path / "mini").mkdir()
    (tmp_path / "mini" / f"table.{form}").write_text("a ± b\nc", encoding="utf-8")
    assert run("table", "--format", form, "--results", str(tmp_path)).out == "a ± b\nc"


def test_the_cost_table_is_another_file(run, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/cost.csv").write_text("seconds")
    assert run("table", "--cost", "-f", "csv", "-t", "full", "--results", str(tmp_path)).out == "seconds"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "there is no table of tier mini"),
        (("--tier", "mni"), "unknown tier 'mni'. Did you mean 'mini'? Valid: full, mini"),
        (("--tier", "auto"), "unknown tier 'auto'."),
        (("--format", "htm"), "Did you mean 'html'?"),
        (("--cost", "--format", "tex"), "unknown format 'tex'. Valid: csv, md"),
    ],
)
def test_what_is_not_there_is_bad_input(run, tmp_path, words, message):
    ended = run("table", *words, "--results", str(tmp_path))
    assert ended.code == 2
    assert message in ended.err
