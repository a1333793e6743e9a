"""A result file holds the table's figures and what a rerun needs; a changed one is refused in one line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textedit_bench.bench.rerun import read_rerun
from textedit_bench.cli.main import main
from textedit_bench.documents import read_json_document
from textedit_bench.errors import UserError
from textedit_bench.leaderboard.exported import LARGEST, Exported, _digest
from textedit_bench.report.table import build_table
from textedit_bench.report.table_provenance import collect_stored


@pytest.fixture(scope="module")
def results(tmp_path_factory, store_results):
    return store_results(tmp_path_factory.mktemp("results"), methods=("ffclip", "deltaedit"))


@pytest.fixture(scope="module")
def file(results, tmp_path_factory):
    path = tmp_path_factory.mktemp("lab") / "lab.json"
    words = ["--results", str(results.root), "--by", "A lab", "--output", str(path)]
    assert main(["leaderboard", "export", *words]) == 0
    return path


def test_the_figures_are_those_of_the_table(results, file):
    exported = read_json_document(file, Exported, "result file", LARGEST)
    frame = build_table("mini", collect_stored(results, "mini")).frame.set_index("title")
    titles = [exported.cells_of(row).title for row in exported.rows]
    assert sorted(titles) == sorted(frame.index) and "Method Ffclip" in titles
    for title, row in zip(titles, exported.rows, strict=True):
        assert set(row.figures) == {"success", "preservation", "clip_score", "lpips"}
        for metric, (point, low, high, protocol) in row.figures.items():
            own = frame.loc[title]
            assert (point, low, high) == (own[metric], own[f"{metric}_low"], own[f"{metric}_high"])
            assert protocol == f"{metric}@v1"


def test_a_run_can_be_asked_for_again_from_the_file_alone(results, file, tmp_path):
    exported = read_json_document(file, Exported, "result file", LARGEST)
    row = next(row for row in exported.rows if exported.cells_of(row).method == "ffclip")
    assert main(["leaderboard", "build", str(file), "-o", str(tmp_path)]) == 0
    assert {path.stem for path in (tmp_path / "runs").iterdir()} == set(exported.runs)
    out = tmp_path / "runs" / f"{row.cells[0]}.json"
    there = read_rerun(next(results.root.glob(f"*/*/*/{row.cells[0]}/manifest.json")), results=tmp_path / "again")
    found = read_rerun(out, results=tmp_path / "again")
    assert (found.digest, found.identity, found.files) == (there.digest, there.identity, there.files)
    assert found.files.keys() == {"images.zip", "records.parquet"}
    same = ("methods", "datasets", "images", "seed", "strengths", "settings", "own_prompts", "threads")
    assert all(getattr(found.request, name) == getattr(there.request, name) for name in same)


def _signed(value):
    """Somebody who changes a file and its digest too."""
    content = {name: value[name] for name in value if name != "digest"}
    return {**content, "digest": _digest(content)}


def _edit(value, path, new):
    value = json.loads(json.dumps(value))
    *parents, last = path
    inner = value
    for part in parents:
        inner = inner[part]
    inner[last] = new
    return value


def _first_run(value):
    return next(iter(value["runs"]))


BAD = {
    "a figure": (lambda v: _edit(v, ["rows", 0, "figures", "success", 0], 0.99), "the digest does not match"),
    "a name": (lambda v: _edit(v, ["by"], "Another lab"), "the digest does not match"),
    "a run": (lambda v: _edit(v, ["runs", _first_run(v), "infer", "command"], "x"), "the digest does not match"),
    "a run, signed": (
        lambda v: _signed(_edit(v, ["runs", _first_run(v), "identity", "seed"], 7)),
        "a run is not what its digest says",
    ),
    "a protocol, signed": (
        lambda v: _signed(_edit(v, ["rows", 0, "figures", "success", 3], "success@v2")),
        "mixes runs or protocols",
    ),
    "runs of two methods, signed": (
        lambda v: _signed(_edit(v, ["rows", 0, "cells"], [v["rows"][0]["cells"][0], v["rows"][1]["cells"][0]])),
        "mixes runs or protocols",
    ),
    "a run that is not there, signed": (lambda v: _signed(_edit(v, ["rows", 0, "cells"], ["x"])), "not complete"),
    "an unknown metric, signed": (
        lambda v: _signed(_edit(v, ["rows", 0, "figures", "beauty"], [1.0, None, None, "b"])),
        "not complete",
    ),
    "a run without identity, signed": (lambda v: _signed(_edit(v, ["runs", _first_run(v)], {})), "not complete"),
    "a title that is no text, signed": (
        lambda v: _signed(_edit(v, ["runs", _first_run(v), "listing", "title"], {"a": 1})),
        "Input should be a valid string",
    ),
    "a name with a line end, signed": (lambda v: _signed(_edit(v, ["by"], "a\nb")), "field by"),
    "an endless name, signed": (lambda v: _signed(_edit(v, ["by"], "a" * 301)), "at most 300 characters"),
    "another format": (lambda v: _signed(v | {"format": 2}), "field format"),
    "a further field": (lambda v: v | {"more": 1}, "field more"),
    "a list": (lambda v: [v], "Input should be an object"),
    "nothing": (lambda v: {}, "Field required"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_was_changed_is_refused_in_one_line(file, tmp_path, capsys, case):
    spoil, message = BAD[case]
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(spoil(json.loads(file.read_text()))))
    assert main(["leaderboard", "build", str(path), "--output", str(tmp_path / "board")]) == 2
    err = capsys.readouterr().err
    assert message in err and str(path) in err and err.count("\n") == 1 and "\x1b" not in err and len(err) < 600
    assert not (tmp_path / "board").exists()


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"format": 1e999}', "\x00", '{"rows": [NaN]}'])
def test_what_is_no_file_of_results_is_refused(tmp_path, text):
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(UserError, match="result file"):
        read_json_document(path, Exported, "result file", LARGEST)


@given(st.data())
def test_no_change_of_a_single_value_goes_unseen(file, data):
    value = json.loads(file.read_text())
    where, inner = [], value
    while isinstance(inner, dict | list) and inner:
        keys = sorted(inner) if isinstance(inner, dict) else list(range(len(inner)))
        where.append(data.draw(st.sampled_from(keys)))
        inner = inner[where[-1]]
    new = data.draw(st.one_of(st.none(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()))
    if json.dumps(new) == json.dumps(inner):
        return
    with pytest.raises(ValueError):
        Exported.model_validate_json(json.dumps(_edit(value, where, new)))


def test_unknown_tiers_and_places_are_bad_input(tmp_path, capsys):
    for words, message in (
        (["export", "--by", "x", "--tier", "maxi", "-o", str(tmp_path / "e.json")], "no scored cell of tier maxi"),
        (["export", "--by", "x", "--results", str(tmp_path), "-o", str(tmp_path / "e.json")], "no scored cell"),
        (["export", "--by", "x", "-o", str(tmp_path / "e.txt")], "unknown format '.txt'"),
        (["export", "-o", str(tmp_path / "e.json")], "Missing option '--by'"),
        (["build", str(tmp_path / "no.json"), "-o", str(tmp_path / "b")], "cannot be read"),
    ):
        assert main(["leaderboard", *words]) == 2
        err = capsys.readouterr().err
        assert message in err and err.count("\n") == 1
