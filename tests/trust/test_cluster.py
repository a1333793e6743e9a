"""The Ray pool on a cluster that only pretends: what is decided, without any process."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from textedit_bench.bench.engines import cluster as module
from textedit_bench.bench.engines.job import DatasetJob, Lost


class Pretended:
    """Ray with a number of CPUs; an actor starts where one is free, and ends its jobs at once when told to."""

    def __init__(self, cpus: int) -> None:
        self.cpus, self.actors, self.finished = cpus, [], True
        self.exceptions = SimpleNamespace(RayTaskError=KeyError, RayError=OSError, OutOfMemoryError=MemoryError)

    def remote(self, _class):
        return SimpleNamespace(options=lambda **_: SimpleNamespace(remote=self._start))

    def _start(self, *_):
        handle = SimpleNamespace(started=len(self.actors) < self.cpus)
        handle.here = SimpleNamespace(remote=lambda: ("here", id(handle)))
        handle.run = SimpleNamespace(remote=lambda job: ("run", id(handle)))
        self.actors.append(handle)
        return handle

    def wait(self, tasks, num_returns=1, timeout=None):
        started = {id(handle): handle.started for handle in self.actors}
        ready = [t for t in tasks if started[t[1]] and (t[0] == "here" or self.finished)]
        return ready[:num_returns], []

    def get(self, task):
        return "an end"

    def kill(self, handle):
        self.actors.remove(handle)

    def cluster_resources(self):
        return {"CPU": self.cpus}

    def is_initialized(self):
        return True

    def shutdown(self):
        pass


@pytest.fixture
def pretended(house, tmp_path, monkeypatch):
    ray = Pretended(2)
    monkeypatch.setattr(module, "connect", lambda: (ray, False))
    monkeypatch.setattr(module, "LOOK_EVERY", 0.0)
    return ray, module.Cluster((house.request(tmp_path / "r", engine="ray"), None, None))


def test_an_actor_keeps_its_networks_for_the_next_job(pretended):
    ray, pool = pretended
    for number in range(3):
        pool.submit(number, DatasetJob(0, "x"))
        assert pool.wait() == [(number, "an end")]
    assert len(ray.actors) == 1


def test_a_job_whose_actor_found_no_room_is_given_back_when_the_cluster_shrank(pretended):
    ray, pool = pretended
    pool.submit(0, DatasetJob(0, "x"))
    ray.cpus = 1  # a node died, and this process does not know it yet
    pool.submit(1, DatasetJob(0, "y"))
    assert pool.wait() == [(0, "an end")]
    ((number, end),) = pool.wait()
    assert number == 1 and isinstance(end, Lost)
    pool.submit(1, DatasetJob(0, "y"))
    assert pool.wait() == [(1, "an end")]
    assert pool.slots == 1 and len(ray.actors) == 1


def test_a_cluster_without_room_for_one_worker_is_refused(house, tmp_path, monkeypatch):
    from textedit_bench.errors import UserError

    monkeypatch.setattr(module, "connect", lambda: (Pretended(2), False))
    with pytest.raises(UserError, match="one worker needs 4 CPUs and 0 GPUs; the cluster has 2 CPUs"):
        module.Cluster((house.request(tmp_path / "r", engine="ray", threads=4), None, None))


def test_closing_lets_every_actor_go_and_leaves_no_file(pretended, tmp_path):
    ray, pool = pretended
    pool.submit(0, DatasetJob(0, "x"))
    pool.close()
    assert ray.actors == []
    assert list((tmp_path / "r").iterdir()) == []
