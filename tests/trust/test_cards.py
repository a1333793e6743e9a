"""Several CUDA cards of one machine: each has one worker, which sees its own card."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textedit_bench.bench.engines import open_pool
from textedit_bench.bench.engines.processes import Processes
from textedit_bench.bench.engines.worker import DatasetJob, WorkerLost
from textedit_bench.bench.request import BenchRequest
from textedit_bench.bench.session import DatasetSession
from textedit_bench.bench.store import Store
from textedit_bench.cli.main import main
from textedit_bench.errors import UserError
from textedit_bench.testing.pretend_cuda import PretendCuda

CARDS = 3


class _Dead:
    """A process that dies as soon as it is started: its end of the pipe is closed."""

    pid, exitcode = None, 1

    def __init__(self, args, **_):
        self.setup = args[1]

    start = join = kill = lambda self: None


def _devices(**options) -> list[str]:
    """The device of each worker that a request gets on a machine with three cards."""
    with PretendCuda(devices=CARDS):
        pool = open_pool(BenchRequest(engine="processes", **options), [], DatasetSession, Store)
    pool._context = SimpleNamespace(Pipe=multiprocessing.Pipe, Process=_Dead)
    for number in range(pool.slots):
        pool.submit(number, DatasetJob("x"))
    return [each.process.setup[0].device for each in pool._processes]


@pytest.mark.parametrize(
    ("options", "devices"),
    [
        ({"device": "cuda"}, ["cuda:0", "cuda:1", "cuda:2"]),
        ({"device": "cuda", "workers": 8}, ["cuda:0", "cuda:1", "cuda:2"]),
        ({"device": "cuda", "workers": 2}, ["cuda:0", "cuda:1"]),
        ({"device": "cuda:1", "workers": 4}, ["cuda:1"]),
        ({"devices": (2, 0)}, ["cuda:2", "cuda:0"]),
        ({"devices": (1,), "workers": 2}, ["cuda:1"]),
        ({"workers": 4}, ["cpu"] * 4),
    ],
)
def test_a_worker_per_card_and_never_more(options, devices):
    assert _devices(**options) == devices


@given(cards=st.lists(st.integers(0, CARDS - 1), min_size=1, unique=True), workers=st.integers(0, 6))
def test_no_card_has_two_workers(cards, workers):
    devices = _devices(devices=tuple(cards), workers=workers)
    assert devices == [f"cuda:{index}" for index in cards][: workers or None]


def test_who_takes_the_place_of_a_worker_that_died_gets_its_card():
    pool = Processes([(replace(BenchRequest(), device=f"cuda:{index}"),) for index in range(2)])
    pool._context = SimpleNamespace(Pipe=multiprocessing.Pipe, Process=_Dead)
    for _ in range(3):
        for number in range(2):
            pool.submit(number, DatasetJob("x"))
        assert sorted(each.setup[0].device for each in pool._processes) == ["cuda:0", "cuda:1"]
        assert all(isinstance(end, WorkerLost) for _, end in pool.wait() + (pool.wait() if pool._processes else []))


def test_several_cards_are_served_by_processes_and_one_where_it_was_asked():
    assert BenchRequest(devices=(0, 1)).engine == "processes"
    one = BenchRequest(devices=(1,))
    assert (one.engine, one.device) == ("local", "cuda:1")
    assert replace(one, seed=1).device == replace(BenchRequest(devices=(0, 1)), seed=1).device.replace("cuda", "cuda:1")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"devices": (0, 0)}, "0, 0 has a device twice"),
        ({"devices": (-1,)}, "devices"),
        ({"devices": (0,), "device": "cuda:1"}, "contradict each other"),
        ({"devices": (0, 1), "engine": "ray"}, "on ray the cluster assigns GPUs"),
    ],
)
def test_cards_that_contradict_the_rest_are_refused(options, words):
    with pytest.raises(UserError, match=words):
        BenchRequest(**options)


@pytest.mark.parametrize(
    ("given", "words"), [("0,x", "'x' is not a device index"), ("0,,1", "is empty"), ("9", "cuda:9")]
)
def test_cards_that_are_none_are_refused_in_one_line(capsys, given, words, tmp_path):
    with PretendCuda(devices=2):
        assert main(["bench", "-d", "ffhq", "--tier", "mini", "--devices", given, "--results", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line
