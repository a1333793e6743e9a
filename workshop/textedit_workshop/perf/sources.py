"""Opening large image sources: `python -m textedit_workshop.perf.sources [--entries 100000] [--kinds folder zip lmdb]`.

For each kind, in a process of its own: seconds until the first image is decoded, bytes read until then, seconds of a
walk through all entries, and the process's peak memory.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image

from textedit_bench.data.decode import decode
from textedit_bench.data.sources import FolderSource, ImageSource, LmdbSource, ZipSource
from textedit_bench.extras import needs_extra
from textedit_workshop.perf.memory import peak_memory_bytes

KINDS = ("folder", "zip", "lmdb")


@dataclass(frozen=True)
class Opening:
    """Cost of opening one source.

    Attributes:
        kind: of source.
        entries: how many there are.
        first_s: seconds until the first image was decoded.
        read_bytes: bytes read by then; None if the system does not tell. Pages of an LMDB are mapped, not read.
        walk_s: seconds for the names of all entries.
        peak_bytes: the process's peak memory, libraries included.
    """

    kind: str
    entries: int
    first_s: float
    read_bytes: int | None
    walk_s: float
    peak_bytes: int


def write_source(kind: str, folder: Path, entries: int) -> Path:
    """Write a source of small pictures below ``folder``, in one flat folder if the kind has folders."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(buffer, "PNG")
    picture, path = buffer.getvalue(), folder / f"{kind}.zip"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for number in range(entries):
                archive.writestr(f"{number // 1000:05d}/img{number:08d}.png", picture)
        return path
    path = folder / kind
    if kind == "folder":
        path.mkdir()
        for number in range(entries):
            (path / f"{number:08d}.png").write_bytes(picture)
        return path
    with needs_extra("lmdb", "measuring an LMDB"):
        import lmdb

    with lmdb.open(str(path), map_size=4096 * (entries + 4096)) as environment, environment.begin(write=True) as writer:
        for number in range(entries):
            writer.put(hashlib.sha1(str(number).encode(), usedforsecurity=False).hexdigest().encode(), picture)
    return path


def measure(kind: str, path: Path) -> Opening:
    """Open a source in this process, which should have done nothing else."""
    kinds: dict[str, Callable[[Path], ImageSource]] = {"folder": FolderSource, "zip": ZipSource, "lmdb": LmdbSource}
    source = kinds[kind](path)
    before, start = _read_so_far(), time.perf_counter()
    decode(source.read(next(iter(source.entries()))))
    first_s, after = time.perf_counter() - start, _read_so_far()
    start = time.perf_counter()
    entries = sum(1 for _ in source.entries())
    walk_s = time.perf_counter() - start
    read = None if before is None or after is None else after - before
    return Opening(kind, entries, first_s, read, walk_s, peak_memory_bytes())


def opening(kind: str, path: Path) -> Opening:
    """Measure in a new process."""
    command = [sys.executable, "-P", "-m", "textedit_workshop.perf.sources", "--measure", kind, str(path)]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    return Opening(**json.loads(ended.stdout))


def _read_so_far() -> int | None:
    try:
        lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return int(next(line for line in lines if line.startswith("rchar:")).split()[1])


def main(arguments: list[str] | None = None) -> None:
    """Print one line per kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=100_000, help="pictures of each source")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), help="kinds of source")
    parser.add_argument("--measure", nargs=2, metavar=("KIND", "PATH"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.measure:
        print(json.dumps(asdict(measure(options.measure[0], Path(options.measure[1])))))
        return
    for kind in options.kinds:
        with tempfile.TemporaryDirectory() as folder:
            found = opening(kind, write_source(kind, Path(folder), options.entries))
        read = "?" if found.read_bytes is None else f"{found.read_bytes / 1e3:.0f} kB"
        print(
            f"{kind:7} {found.entries} entries: first image after {found.first_s:.3f} s and {read}, all names after "
            f"{found.walk_s:.2f} s, peak memory {found.peak_bytes / 1e6:.0f} MB"
        )


if __name__ == "__main__":
    main()
