"""A result folder is whole or not there: writing, checksums, damage, locks."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from pathlib import Path

import pytest

from textedit_bench.bench.cell import digest_of
from textedit_bench.bench.store import ResultFolder, Store
from textedit_bench.errors import UserError
from textedit_bench.files import write_atomically, write_text

IDENTITY = {"method": "m", "seed": 0}


def text(content: str):
    return lambda path: path.write_text(content)


@pytest.fixture
def folder(tmp_path) -> ResultFolder:
    made = ResultFolder(tmp_path, IDENTITY)
    with made.locked():
        made.publish("infer", {"edits": text("edits")}, {"threads": 1}, listing={"title": "M"})
        made.publish("score", {"records": text("records")}, {"threads": 2})
    return made


def test_a_folder_is_named_after_its_content(folder):
    assert folder.path.name == digest_of({"seed": 0, "method": "m"})
    assert folder.path.name != digest_of({"seed": 1, "method": "m"})


def test_what_was_published_is_vouched_for(folder):
    manifest = folder.manifest()
    assert manifest.infer.files.keys() == {"edits"}
    assert manifest.score.threads == 2
    assert manifest.listing.title == "M"


def test_scoring_again_keeps_the_edits(folder):
    before = folder.manifest().infer
    folder.publish("score", {"records": text("other")}, {"threads": 3})
    assert folder.manifest().infer == before
    assert folder.manifest().score.threads == 3


def test_editing_again_forgets_the_scores(folder):
    folder.publish("infer", {"edits": text("new")}, {})
    assert folder.manifest().score is None


@pytest.mark.parametrize("damage", [lambda p: p.write_text("edit5"), lambda p: p.write_text(""), Path.unlink])
def test_damaged_edits_set_everything_aside(folder, damage, caplog):
    damage(folder.file("edits"))
    assert folder.manifest() is None
    aside = folder.path.with_name(f"{folder.digest}.corrupt-1")
    assert (aside / "records").read_text() == "records"
    assert (aside / "manifest.json").exists()
    assert list(folder.path.iterdir()) == []
    assert "set aside" in caplog.text


def test_damaged_scores_are_set_aside_alone(folder):
    folder.file("records").write_text("rec")
    manifest = folder.manifest()
    assert manifest.score is None
    assert manifest.infer.files
    assert folder.file("records.corrupt-1").read_text() == "rec"
    assert folder.file("edits").read_text() == "edits"


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"schema": 1}', '{"schema": 99, "identity": {}}'])
def test_an_unreadable_manifest_sets_everything_aside(folder, content):
    folder.file("manifest.json").write_text(content)
    assert folder.manifest() is None
    assert not folder.file("edits").exists()


def test_a_manifest_of_another_identity_is_not_believed(folder):
    manifest = json.loads(folder.file("manifest.json").read_text())
    manifest["identity"]["seed"] = 7
    folder.file("manifest.json").write_text(json.dumps(manifest))
    assert folder.manifest() is None


def test_damage_twice_keeps_both(folder):
    for _ in range(2):
        folder.publish("infer", {"edits": text("x")}, {})
        folder.file("edits").write_text("y")
        assert folder.manifest() is None
    assert len(list(folder.path.parent.glob("*.corrupt-*"))) == 2


def test_files_without_a_manifest_are_nothing(tmp_path):
    made = ResultFolder(tmp_path, IDENTITY)
    with made.locked():
        made.file("edits").write_text("half")
        made.file(".records.0123.part").write_text("half")
    with made.locked():
        assert made.manifest() is None
        assert not list(made.path.glob(".*.part"))


def test_a_failed_write_leaves_the_old_file_and_no_temporary(tmp_path):
    target = tmp_path / "table.csv"
    write_text(target, "old")

    def fail(path: Path) -> None:
        path.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(target, fail)
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]
    assert target.read_text() == "old"


def test_scores_need_edits(tmp_path):
    made = ResultFolder(tmp_path, IDENTITY)
    with made.locked(), pytest.raises(RuntimeError, match="edits are gone"):
        made.publish("score", {}, {})


def _hold(parent: Path, ready, release) -> None:
    with ResultFolder(parent, IDENTITY).locked():
        ready.set()
        release.wait(20)


def test_a_held_folder_makes_the_next_run_wait(tmp_path):
    context = multiprocessing.get_context("fork")
    ready, release = context.Event(), context.Event()
    holder = context.Process(target=_hold, args=(tmp_path, ready, release))
    holder.start()
    assert ready.wait(20)
    pid = os.fork()
    if pid == 0:
        with ResultFolder(tmp_path, IDENTITY).locked():
            (tmp_path / "entered").write_text("")
        os._exit(0)
    time.sleep(0.3)
    assert not (tmp_path / "entered").exists()
    release.set()
    os.waitpid(pid, 0)
    holder.join()
    assert (tmp_path / "entered").exists()


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a\x00b", "ü"])
def test_names_cannot_leave_the_results_folder(tmp_path, name):
    with pytest.raises(UserError, match="cannot name a folder"):
        Store(tmp_path).method("mini", "faces", name)


def test_a_folder_that_cannot_be_written_is_refused_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        Store(tmp_path / "file" / "results").check_writable()


def test_only_scored_cells_are_listed(tmp_path):
    store = Store(tmp_path)
    for seed, scored in ((0, True), (1, False)):
        made = ResultFolder(store.method("mini", "d", "m"), {"seed": seed})
        with made.locked():
            made.publish("infer", {}, {})
            if scored:
                made.publish("score", {}, {})
    assert [manifest.identity["seed"] for _, manifest in store.manifests("mini")] == [0]
