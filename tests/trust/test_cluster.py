"""The Ray pool on a cluster that only pretends: what is decided, without any process."""

from __future__ import annotations

import socket
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textedit_bench.bench.engines import cluster as module
from textedit_bench.bench.engines import connection
from textedit_bench.bench.engines.worker import CellJob, DatasetJob, WorkerLost
from textedit_bench.bench.request import BenchRequest
from textedit_bench.errors import UserError

from .toy_ray import ToyRay


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("results")


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(module, "LOOK_EVERY", 0.0)


def _pool(monkeypatch, folder, ray, **options):
    monkeypatch.setattr(module, "connect", lambda: (ray, False))
    return module.Cluster((BenchRequest(engine="ray", threads=1, results=folder, **options), None, None))


def test_an_actor_keeps_its_networks_for_the_next_job(monkeypatch, folder):
    ray = ToyRay(cpus=2)
    pool = _pool(monkeypatch, folder, ray)
    for number in range(3):
        pool.submit(number, DatasetJob("x"))
        assert pool.wait() == [(number, "an end")]
    assert len(ray.actors) == 1


def test_when_the_cluster_shrinks_an_actor_that_found_room_takes_the_job_of_one_that_did_not(
    monkeypatch, folder, impatient
):
    ray = ToyRay(cpus=2)
    pool = _pool(monkeypatch, folder, ray)
    ray.cpus = 1  # a node died, and the cluster still tells of both
    pool.submit(0, DatasetJob("x"))
    pool.submit(1, DatasetJob("y"))
    assert [pool.wait(), pool.wait()] == [[(0, "an end")], [(1, "an end")]]
    assert len(ray.actors) == 1


@pytest.mark.parametrize("told", [0, 1], ids=["the cluster knows", "the cluster does not know"])
def test_a_job_for_which_there_is_no_room_any_more_is_given_back(monkeypatch, folder, impatient, told):
    ray = ToyRay(cpus=1, patience=10**9)
    pool = _pool(monkeypatch, folder, ray)
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    ray.cpus, ray.told = 0, told
    pool.submit(7, DatasetJob("x"))
    ((number, end),) = pool.wait()
    assert number == 7 and isinstance(end, WorkerLost) and "no node had room" in end.reason
    assert ray.actors == []


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ({"threads": 4}, "one worker needs 4 CPUs and 0 GPUs; the cluster has 2 CPUs and 1 GPUs"),
        ({"device": "cuda", "gpus": {"": 2.0}}, "one worker needs 1 CPUs and 2 GPUs"),
        ({"device": "cuda", "gpus": {"slow": 2.0, "": 0.5}}, "one worker of slow needs 1 CPUs and 2 GPUs"),
    ],
)
def test_a_cluster_without_room_for_some_worker_is_refused(monkeypatch, tmp_path, options, asked):
    monkeypatch.setattr(module, "connect", lambda: (ToyRay(gpus=1, cpus=2), False))
    request = BenchRequest(**{"engine": "ray", "threads": 1, "results": tmp_path, **options})
    with pytest.raises(UserError, match=asked):
        module.Cluster((request, None, None))
    assert list(tmp_path.iterdir()) == []


def test_closing_lets_every_actor_go_and_leaves_no_file(monkeypatch, tmp_path):
    ray = ToyRay(cpus=2)
    pool = _pool(monkeypatch, tmp_path, ray)
    pool.submit(0, DatasetJob("x"))
    pool.close()
    assert ray.actors == []
    assert list(tmp_path.iterdir()) == []


SHARES = st.sampled_from([0.1, 0.25, 0.3, 0.4, 0.5, 0.7, 1.0, 2.0])


@settings(deadline=None, max_examples=150)
@given(
    gpus=st.integers(2, 4),
    cpus=st.integers(2, 20),
    shares=st.dictionaries(st.sampled_from(["slow", "quick", ""]), SHARES),
    workers=st.sampled_from([0, 0, 1, 3]),
    jobs=st.lists(st.sampled_from(["slow", "quick", "other"]), min_size=1, max_size=30),
    chance=st.randoms(use_true_random=False),
)
def test_every_job_ends_once_whatever_share_of_a_gpu_it_needs(folder, gpus, cpus, shares, workers, jobs, chance):
    """Cards are counted one by one, so that parts of several are no whole one, and jobs end in any order."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "LOOK_EVERY", 0.0)
        ray = ToyRay(gpus, cpus, lambda count: chance.randrange(count))
        pool = _pool(patch, folder, ray, device="cuda", gpus=shares, workers=workers)
        pool.submit(-1, DatasetJob("d"))
        assert pool.wait() == [(-1, "an end")]
        waiting, under, ended = list(enumerate(jobs)), set(), []
        while waiting or under:
            while waiting and len(under) < pool.slots:
                number, method = waiting.pop(0)
                under.add(number)
                pool.submit(number, CellJob("d", method, str(number), str(number)))
            assert len(ray.actors) <= (workers or 99)
            for number, _ in pool.wait():
                under.remove(number)
                ended.append(number)
        assert sorted(ended) == list(range(len(jobs)))
        pool.close()


@pytest.mark.parametrize("kind", ["nobody", "silent", "another service", "no port"])
def test_an_address_at_which_no_cluster_answers_is_told_in_one_line_and_soon(monkeypatch, kind):
    monkeypatch.setattr(connection, "PATIENCE", 0.5)
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        if kind != "nobody":
            server.listen()
        if kind == "another service":
            # its words wait in the line of connections that nobody has taken yet
            import threading

            threading.Thread(
                target=lambda: server.accept()[0].sendall(b"HTTP/1.1 400 Bad Request\r\n"), daemon=True
            ).start()
        monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:no" if kind == "no port" else f"127.0.0.1:{port}")
        began = time.monotonic()
        with pytest.raises(
            UserError, match=r"ray: the cluster at RAY_ADDRESS='127.0.0.1:\w+' cannot be reached \(.+\);"
        ) as told:
            connection.connect()
    assert "\n" not in str(told.value)
    assert time.monotonic() - began < 30
