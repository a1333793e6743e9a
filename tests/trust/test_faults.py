"""Killed at any instant, on a full disk, or beside another run in one folder: nothing is lost and nothing differs."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from textedit_bench.bench.progress import PlainReporter, State
from textedit_bench.bench.run import run_cells
from textedit_bench.bench.store import Store
from textedit_bench.files import disk_is_full, locked, write_atomically

from .conftest import METHOD, PROMPTS
from .kill_bench import start
from .stored import contents, records_digest

HERE = Path(__file__).parent


def _kill_and_compare(house, folder: Path, prompts: int, kills: int) -> tuple[int, list[int]]:
    words = json.dumps(PROMPTS[-prompts:])
    command = [
        sys.executable,
        str(HERE / "kill_bench.py"),
        str(folder),
        str(house.card),
        METHOD,
        words,
        str(kills),
        "0",
    ]
    ended = subprocess.run(command, env=house.environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout.splitlines()[-1])
    cells, digest = records_digest(folder / "undisturbed")
    for killed in folder.glob("killed-*"):
        assert records_digest(killed) == (cells, digest)
        assert list((killed / "mini").rglob(".*.part")) == []
    told_stored = told["cells_stored_at_each_kill"]
    print(f"{cells} cells, killed {told['killed']} times in {told['runs']} run(s), stored at each kill: {told_stored}")
    print(f"records digest {digest}, as of the undisturbed run")
    assert told["killed"] == kills
    return cells, told_stored


def test_three_kills_leave_the_records_of_an_undisturbed_run(house, tmp_path):
    cells, _ = _kill_and_compare(house, tmp_path, prompts=1, kills=3)
    assert cells == 5  # the wrong-prompt control needs a second prompt


@pytest.mark.slow
def test_sixty_cells_killed_at_24_random_points_end_with_the_same_records(house, tmp_path):
    cells, stored = _kill_and_compare(house, tmp_path, prompts=12, kills=24)
    assert cells >= 60
    assert len(set(stored)) >= 8, "the kills fell on too few different points"


def _quiet() -> PlainReporter:
    return PlainReporter(open(os.devnull, "w"))


def test_a_disk_that_is_really_full_stops_the_run_in_words_and_loses_nothing(house, tmp_path):
    """A file-size limit stands for the disk: the kernel refuses the write in the same place."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, before[1]))  # inputs fit, the records of a cell do not
        done = run_cells(house.request(tmp_path / "r"), _quiet())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert done.summary.exit_code == 1
    reasons = Counter(outcome.reason for outcome in done.summary.outcomes)
    assert reasons["not started: the disk is full"] + 1 >= len(done.summary.outcomes) - 2
    assert done.summary.counts.keys() <= {State.FAILED, State.NOT_APPLICABLE, State.DONE}
    again = run_cells(house.request(tmp_path / "r"), _quiet())
    assert again.summary.exit_code == 0
    run_cells(house.request(tmp_path / "undisturbed"), _quiet())
    assert contents(tmp_path / "r") == contents(tmp_path / "undisturbed")


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, "x"), True),
        (OSError(errno.EDQUOT, "x"), True),
        (RuntimeError("I/O error: No space left on device (os error 28)"), True),
        (OSError(errno.EACCES, "Permission denied"), False),
        (ValueError("space"), False),
    ],
)
def test_a_full_disk_is_told_from_other_errors(error, full):
    assert disk_is_full(error) is full
    wrapped = RuntimeError("could not save")
    wrapped.__cause__ = error
    assert disk_is_full(wrapped) is full


def test_two_runs_share_one_results_folder(house, tmp_path):
    request = house.request(tmp_path / "shared")
    run_cells(house.request(tmp_path / "alone"), _quiet())
    children = [start(lambda: run_cells(request, _quiet()).summary.exit_code) for _ in range(2)]
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]
    assert contents(tmp_path / "shared") == contents(tmp_path / "alone")
    assert not list((tmp_path / "shared").rglob("*.corrupt-*"))


def test_two_runs_may_try_the_folder_at_once(tmp_path):
    def tries() -> int:
        for _ in range(60):
            Store(tmp_path).check_writable()
        return 0

    children = [start(tries) for _ in range(4)]
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4


@pytest.mark.parametrize("looks", range(1, 5))
def test_a_file_that_vanishes_between_two_looks_is_written_all_the_same(tmp_path, monkeypatch, looks):
    path, seen, look = tmp_path / ".writable", [], Path.stat
    path.write_text("former")

    def look_and_remove(self, **options):
        found = look(self, **options)
        if self == path:
            seen.append(self)
            if len(seen) == looks:
                path.unlink()
        return found

    monkeypatch.setattr(Path, "stat", look_and_remove)
    write_atomically(path, lambda temporary: temporary.write_text("new"))
    monkeypatch.undo()
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_system_that_locks_no_folders_gets_a_lock_beside(tmp_path, monkeypatch):
    import fcntl

    flock, held = fcntl.flock, []

    def refuse_folders(handle, operation):
        if os.path.isdir(os.readlink(f"/proc/self/fd/{handle}")):
            raise OSError(errno.EBADF, "Bad file descriptor")
        held.append(os.readlink(f"/proc/self/fd/{handle}"))
        flock(handle, operation)

    monkeypatch.setattr(fcntl, "flock", refuse_folders)
    with locked(tmp_path / "cell"):
        assert held == [str(tmp_path / ".cell.lock")]
        entered = start(lambda: _try_lock(tmp_path / ".cell.lock"))
        assert os.waitstatus_to_exitcode(os.waitpid(entered, 0)[1]) == 7
    assert list((tmp_path / "cell").iterdir()) == []


def _try_lock(path: Path) -> int:
    import fcntl

    with open(path, "r+") as file:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 7
    return 0
