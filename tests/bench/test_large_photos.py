"""Photos of 1024 pixels: memory does not grow with their number, a killed cell goes on at the shard it was at."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("large_photos.py")

pytestmark = pytest.mark.slow


def bench(folder: Path, *words: int | str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(folder), *map(str, words)], capture_output=True, text=True, timeout=3000
    )


def peak(folder: Path, *words: int | str) -> int:
    """Bytes."""
    ended = bench(folder, *words)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return int(ended.stdout.splitlines()[-1])


def stored(folder: Path, name: str) -> dict[str, bytes]:
    names = ("records.parquet", "features.npz", "edits.safetensors", "table.csv")
    return {path.name: path.read_bytes() for path in (folder / name).rglob("*") if path.name in names}


def test_memory_does_not_grow_with_the_photos_and_a_killed_cell_resumes(tmp_path):
    few, many = peak(tmp_path, 12, 4), peak(tmp_path, 48, 4)
    assert many < 1.15 * few and many < 3e9, (few, many)

    killed = bench(tmp_path, 48, 8, 3)
    assert killed.returncode == -signal.SIGKILL
    (cell,) = (tmp_path / "results-48-8/full/large/interfacegan").glob("*/shards")
    done = {path.parent.name: path.stat().st_mtime_ns for path in cell.glob("*/manifest.json")}
    assert len(done) >= 3
    ended = bench(tmp_path, 48, 8)
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert stored(tmp_path, "results-48-8") == stored(tmp_path, "results-48-4")
