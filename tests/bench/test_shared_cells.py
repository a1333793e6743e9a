"""Several workers, or several benches, at the shards of one cell."""

from __future__ import annotations

import contextlib
import fcntl
import os

import pytest

from textedit_bench.bench.engines.worker import Worker
from textedit_bench.bench.progress import State
from textedit_bench.bench.store import ResultFolder

IMAGES = 8


class TwoSlots:
    """Computes in this process what two workers would, the last job first."""

    slots = 2

    def __init__(self, worker, given):
        self._worker, self._given, self._jobs = worker, given, []

    def submit(self, number, job):
        self._jobs.append((number, job))
        self._given.append(getattr(job, "part", None))

    def wait(self):
        number, job = self._jobs.pop()
        return [(number, self._worker.run(job))]

    def close(self):
        pass


@pytest.fixture
def given_parts(monkeypatch):
    """Two slots compute a bench; the numbers of the parts that they were given, None for whole cells."""
    given: list[int | None] = []

    def open_pool(request, plans, *opened):
        return TwoSlots(Worker(request, *opened, plans), given)

    monkeypatch.setattr("textedit_bench.bench.run.open_pool", open_pool)
    return given


def test_processes_share_one_cell(tiny, small_passes, tmp_path, request, contents):
    tiny.run(tmp_path / "alone", "shift", images=IMAGES, shard=2, controls=False)
    given = request.getfixturevalue("given_parts")
    summary = tiny.run(tmp_path / "shared", "shift", images=IMAGES, shard=2, controls=False)
    assert summary.exit_code == 0 and summary.counts == {State.DONE: 3}
    assert contents(tmp_path / "shared") == contents(tmp_path / "alone")
    parts = [part for part in given if part is not None]
    assert sorted(parts) == sorted([0, 1, 2, 3] * 3) and given.count(None) == 1 + 3
    assert tiny.run(tmp_path / "shared", "shift", images=IMAGES, shard=2, controls=False).counts == {State.CACHED: 3}


def test_damage_of_a_cell_is_looked_for_under_its_lock(tiny, small_passes, tmp_path, monkeypatch, given_parts):
    original, unlocked = ResultFolder.manifest, []

    def manifest(self):
        if self.path.exists() and self.path.parent.name != "shards":
            handle = os.open(self.path, os.O_RDONLY)
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                unlocked.append(self.path)
            os.close(handle)
        return original(self)

    monkeypatch.setattr(ResultFolder, "manifest", manifest)
    for state in (State.DONE, State.CACHED):
        assert tiny.run(tmp_path, "shift", images=IMAGES, shard=2, controls=False).counts == {state: 3}
    assert not unlocked


def test_a_cell_that_another_bench_finishes_meanwhile_is_cached(tiny, small_passes, tmp_path, monkeypatch, given_parts):
    original, others = tiny.module.Shift.edit, []
    options = {"images": IMAGES, "controls": False, "prompts": ("cap",)}

    def edit(self, latents, prompt, strength=1.0):
        if "evaluation-5" in latents.ids and not others:
            others.append(None)
            others.append(tiny.run(tmp_path, "shift", shard=4, **options))
            raise OSError("the folder of this part is gone")
        return original(self, latents, prompt, strength)

    monkeypatch.setattr(tiny.module.Shift, "edit", edit)
    assert tiny.run(tmp_path, "shift", shard=2, **options).counts == {State.CACHED: 1}
    assert others[1].counts == {State.DONE: 1}
