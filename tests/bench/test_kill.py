"""A bench that is killed at any instant ends, when it is run again, with the records of an undisturbed one."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from textedit_bench.bench.progress import State


def contents(results: Path) -> dict[str, bytes]:
    names = {"records.parquet", "images.zip", "features.npz", "edits.safetensors", "latents.safetensors", "table.csv"}
    files = [p for p in sorted(results.rglob("*")) if p.name in names and ".corrupt-" not in str(p)]
    assert any(p.name == "table.csv" for p in files) and any(p.name == "records.parquet" for p in files)
    return {str(p.relative_to(results)): p.read_bytes() for p in files}


class Killed(BaseException):
    """Nothing may catch it, like a kill."""


def killed_at(patch, step: int) -> None:
    """Let the ``step``-th rename never happen, and leave its temporary file behind as a kill would."""
    rename, unlink, seen = Path.replace, Path.unlink, []

    def replace(self, target):
        seen.append(target)
        if len(seen) >= step:
            raise Killed
        return rename(self, target)

    def keep(self, missing_ok=False):
        if not self.name.endswith(".part"):
            unlink(self, missing_ok=missing_ok)

    patch.setattr(Path, "replace", replace)
    patch.setattr(Path, "unlink", keep)


@pytest.mark.parametrize("step", [2, 5, 9, 11, 14, 17, 40])
def test_a_kill_between_any_two_files_loses_nothing(finished, tiny, tmp_path, monkeypatch, step):
    with monkeypatch.context() as patch:
        killed_at(patch, step)
        with pytest.raises(Killed):
            tiny.run(tmp_path / "r", "shift")
    assert list((tmp_path / "r").rglob("*.part"))
    summary = tiny.run(tmp_path / "r", "shift")
    assert summary.exit_code == 0
    assert contents(tmp_path / "r") == contents(finished.results)
    assert not [p for p in (tmp_path / "r").rglob("*.part") if "mini/tiny" in str(p)]


def test_a_corrupt_record_is_set_aside_and_made_again(finished, tiny, tmp_path):
    tiny.run(tmp_path / "r", "shift")
    records = sorted((tmp_path / "r").rglob("records.parquet"))[0]
    records.write_bytes(records.read_bytes()[:-1] + b"?")
    pictures = sorted((tmp_path / "r" / "mini" / "tiny" / "shift").rglob("images.zip"))[-1]
    pictures.write_bytes(pictures.read_bytes()[: pictures.stat().st_size // 2])
    summary = tiny.run(tmp_path / "r", "shift")
    assert summary.counts[State.DONE] == 2
    assert records.with_name("records.parquet.corrupt-1").exists()
    assert pictures.parent.with_name(f"{pictures.parent.name}.corrupt-1").is_dir()
    assert contents(tmp_path / "r") == contents(finished.results)


def _kill_somewhere(tiny, results: Path, chance: random.Random) -> int:
    """Start a bench in a process of its own, kill it after a random number of stored files; its exit code."""
    process = subprocess.Popen(
        [sys.executable, str(tiny.path), str(results), str(tiny.card), "shift"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    stored = chance.randrange(1, 50)
    try:
        while process.poll() is None:
            if sum(1 for path in results.rglob("*") if path.is_file()) >= stored:
                time.sleep(chance.random() * 0.05)
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.002)
    finally:
        process.kill()
    return process.wait()


@pytest.mark.slow
def test_sigkill_at_random_points_loses_nothing(finished, tiny, tmp_path):
    chance, killed = random.Random(0), 0
    for _ in range(5):
        killed += _kill_somewhere(tiny, tmp_path / "r", chance) == -signal.SIGKILL
    print(f"killed {killed} of 5 runs")
    assert killed
    assert tiny.run(tmp_path / "r", "shift").exit_code == 0
    assert contents(tmp_path / "r") == contents(finished.results)
