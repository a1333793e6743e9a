"""A manifest alone is enough to do a run again, and to see whether it came out the same."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textedit_bench.bench.cell import digest_of
from textedit_bench.bench.progress import PlainReporter
from textedit_bench.bench.rerun import differences, read_rerun
from textedit_bench.bench.run import run_cells
from textedit_bench.bench.store import Store
from textedit_bench.cli.options import read_settings, read_shares, split_list, split_numbers
from textedit_bench.errors import UserError

from . import hostile


def _quiet() -> PlainReporter:
    return PlainReporter(open(os.devnull, "w"))


def _manifests(results: Path) -> dict[str, Path]:
    """Method -> one of its manifests."""
    return {path.parent.parent.name: path for path in sorted(results.glob("mini/*/*/*/manifest.json"))}


@pytest.fixture
def stored(house, tmp_path):
    run_cells(house.request(tmp_path / "first", prompts=2), _quiet())
    return tmp_path / "first"


@pytest.mark.parametrize("method", ["trust-nudge", "copy-photo", "random-direction", "wrong-prompt"])
def test_every_kind_of_run_is_the_same_again(stored, tmp_path, method):
    alone = tmp_path / "elsewhere" / "manifest.json"
    alone.parent.mkdir()
    shutil.copy(_manifests(stored)[method], alone)
    rerun = read_rerun(alone, results=tmp_path / "again")
    run_cells(rerun.request, _quiet())
    assert differences(rerun, Store(tmp_path / "again")) == []


@pytest.mark.parametrize("policy", ["shown", "none"])
def test_a_run_keeps_the_same_pictures_again(house, tmp_path, policy):
    run_cells(house.request(tmp_path / "first", prompts=1, controls=False, keep_pictures=policy), _quiet())
    rerun = read_rerun(_manifests(tmp_path / "first")["trust-nudge"], results=tmp_path / "again")
    assert "digests.npz" in rerun.files
    run_cells(rerun.request, _quiet())
    assert differences(rerun, Store(tmp_path / "again")) == []


def test_what_is_not_the_same_is_named(stored, tmp_path):
    path = _manifests(stored)["trust-nudge"]
    manifest = json.loads(path.read_text())
    manifest["identity"]["networks"]["generator"] = "of-other-weights"
    manifest["digest"] = digest_of(manifest["identity"])
    changed = tmp_path / "manifest.json"
    changed.write_text(json.dumps(manifest))
    rerun = read_rerun(changed, results=tmp_path / "again")
    run_cells(rerun.request, _quiet())
    (said,) = differences(rerun, Store(tmp_path / "again"))
    assert said.startswith("networks.generator is ") and said.endswith('the manifest has "of-other-weights"')

    manifest = json.loads(path.read_text())
    manifest["score"]["files"]["records.parquet"]["sha256"] = "0" * 64
    changed.write_text(json.dumps(manifest))
    assert differences(read_rerun(changed, results=tmp_path / "again"), Store(tmp_path / "again")) == [
        "records.parquet differs"
    ]


def test_a_run_is_not_done_again_where_it_lies_and_not_from_a_changed_identity(stored, tmp_path):
    path = _manifests(stored)["trust-nudge"]
    with pytest.raises(UserError, match="holds the run itself; name another folder with --results"):
        read_rerun(path, results=stored)
    manifest = json.loads(path.read_text())
    manifest["identity"]["seed"] = 7
    (tmp_path / "m.json").write_text(json.dumps(manifest))
    with pytest.raises(UserError, match=r"but its identity gives .*: it was modified"):
        read_rerun(tmp_path / "m.json", results=tmp_path / "again")


def _refused_in_one_line(call) -> None:
    try:
        call()
    except UserError as error:
        assert "\n" not in str(error)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("tier", "dataset", "method", "prompt_id", "prompt", "seed", "strengths", "images", "settings", "matched_to")


@settings(max_examples=60, deadline=None)
@given(field=st.sampled_from(FIELDS), value=VALUES)
def test_any_value_in_a_manifest_is_read_or_refused_in_one_line(tmp_path_factory, field, value):
    folder = tmp_path_factory.mktemp("m")
    with contextlib.suppress(ValueError):  # what JSON or the digest cannot hold never becomes a manifest
        path = hostile.manifest(folder / "m.json", **{field: value})
        _refused_in_one_line(lambda: read_rerun(path, results=folder / "again"))


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_no_manifest(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("m") / "m.json"
    path.write_bytes(data)
    with pytest.raises(UserError):
        read_rerun(path, results=path.parent / "again")


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=40))
def test_any_text_of_a_list_option_is_read_or_refused_in_one_line(text):
    for read in (split_list, split_numbers, read_shares):
        _refused_in_one_line(lambda read=read: read("--option", text))
    _refused_in_one_line(lambda: read_settings([text]))
