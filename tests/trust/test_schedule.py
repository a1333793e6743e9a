"""Workers that vanish: their jobs are given out again, one that kills every worker ends, and the records are equal."""

from __future__ import annotations

import io
import random

import pytest

from textedit_bench.bench.engines.schedule import RETRIES, Schedule
from textedit_bench.bench.engines.worker import CellJob, CellResult, DatasetEnd, DatasetJob, Worker, WorkerLost
from textedit_bench.bench.plan import plan
from textedit_bench.bench.progress import CellOutcome, PlainReporter, State
from textedit_bench.bench.run import run_cells

from .stored import contents


class Treacherous:
    """A pool of several slots that answers in any order, and whose workers vanish before or after the work."""

    def __init__(self, work, slots: int, losses: float, seed: int) -> None:
        self.slots, self.work, self.losses = slots, work, losses
        self.chance, self.under_way, self.most, self.lost = random.Random(seed), [], 0, 0

    def submit(self, number, job):
        assert len(self.under_way) < self.slots
        self.under_way.append((number, job))
        self.most = max(self.most, len(self.under_way))

    def wait(self):
        number, job = self.under_way.pop(self.chance.randrange(len(self.under_way)))
        if self.chance.random() < self.losses:
            self.lost += 1
            if self.chance.random() < 0.5:
                self.work(job)
            return [(number, WorkerLost("it vanished"))]
        return [(number, self.work(job))]

    def close(self):
        pass


class Lines(PlainReporter):
    def __init__(self):
        super().__init__(io.StringIO())
        self.notes = []

    def note(self, text):
        self.notes.append(text)


def _run(house, results, slots=3, losses=0.4, seed=0):
    request = house.request(results, prompts=2)
    worker, lines = Worker(request), Lines()
    pool = Treacherous(worker.run, slots, losses, seed)
    schedule = Schedule(plan(request), pool, lines)
    schedule.run()
    return schedule, pool, lines


def test_lost_workers_change_no_record(house, tmp_path):
    run_cells(house.request(tmp_path / "alone", prompts=2), Lines())
    schedule, pool, lines = _run(house, tmp_path / "lost")
    assert pool.lost >= 4 and schedule.lost == pool.lost
    assert sum("submitted again" in note for note in lines.notes) == pool.lost
    assert pool.most == 3
    assert {outcome.state for outcome in schedule.outcomes} <= {State.DONE, State.CACHED}
    assert contents(tmp_path / "lost") == contents(tmp_path / "alone")


def test_ends_are_in_plan_order_whatever_came_first(house, tmp_path):
    request = house.request(tmp_path, prompts=2)
    labels = [job for job in _labels(request)]
    for seed in range(5):
        pool = Treacherous(_pretend, 4, 0.0, seed)
        schedule = Schedule(plan(request), pool, Lines())
        schedule.run()
        assert [outcome.label for outcome in schedule.outcomes] == labels


def _labels(request):
    for data in plan(request):
        for method, matched_method in data.rows:
            for prompt in data.prompts:
                yield data.label(method, prompt, matched_method)


def _pretend(job):
    """A finished cell without any work."""
    if isinstance(job, DatasetJob):
        return DatasetEnd({})
    return CellResult(CellOutcome(job.label, "", State.DONE), cell="a cell")


def test_a_control_starts_only_when_what_it_copies_is_finished(house, tmp_path):
    request = house.request(tmp_path, prompts=2)
    finished, seen = set(), []

    def work(job):
        if isinstance(job, CellJob):
            seen.append(job)
            if any(f"({what} of " in job.label for what in ("step", "edit")):
                assert job.matched is not None
            finished.add(job.label)
        return _pretend(job)

    Schedule(plan(request), Treacherous(work, 8, 0.0, 1), Lines()).run()
    assert len(seen) == 12


@pytest.mark.parametrize("shards", [1, 3])
def test_a_job_that_kills_every_worker_fails_and_the_others_go_on(house, tmp_path, shards):
    request = house.request(tmp_path, prompts=2)
    first = plan(request)[0].prompts[0].id
    tried = []

    def work(job):
        if isinstance(job, CellJob) and job.method == "copy-photo" and job.prompt == first:
            tried.append(job)
            return WorkerLost("killed by signal 9")
        return DatasetEnd({}, shards=shards) if isinstance(job, DatasetJob) else _pretend(job)

    schedule = Schedule(plan(request), Treacherous(work, 2, 0.0, 0), Lines())
    schedule.run()
    failed = [outcome for outcome in schedule.outcomes if outcome.state is State.FAILED]
    assert len(tried) == RETRIES + 1
    assert [outcome.reason for outcome in failed] == [f"its worker was lost {RETRIES + 1} times: killed by signal 9"]
    assert sum(outcome.state is State.DONE for outcome in schedule.outcomes) == 11


@pytest.mark.parametrize("at", [0, 1, 5])
def test_ctrl_c_ends_what_is_left_as_interrupted(house, tmp_path, at):
    request = house.request(tmp_path, prompts=2)
    done = []

    def work(job):
        if len(done) == at:
            raise KeyboardInterrupt
        done.append(job)
        return _pretend(job)

    schedule = Schedule(plan(request), Treacherous(work, 2, 0.0, 0), Lines())
    schedule.run()
    states = [outcome.state for outcome in schedule.outcomes]
    assert len(states) == 12
    assert states.count(State.INTERRUPTED) == 12 - max(0, at - 1)
