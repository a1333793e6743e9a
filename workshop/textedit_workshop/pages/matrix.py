"""Run the first command of the README on several Pythons, each in a fresh clone with an empty home: `make test-matrix`.

For every interpreter: seconds of `make venv` (caches are in the home, so they are empty too) and of
`make bench METHOD=ffclip DATASET=ffhq`, and whether its table is the committed one; with `--tests` the quick tests as
well. Needs 8 GB of disk for one interpreter at a time. The table is printed and written; the exit code is 1 where
anything failed.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from textedit_bench.report.formats import table_lines
from textedit_workshop import ROOT

OLDEST = (3, 11)
TABLE = Path("mini") / "table.csv"
KEYS = ("dataset", "prompt_set", "method", "title")
BEST = "_best"
"""Ending of the columns that say which row of a table is best: they depend on the other rows, not on the figures."""
TOLERANCE = 1e-2
"""Share of the width of a figure's 95 % interval by which it may differ. PyTorch takes the instructions that a
processor has, which add in another order, and edited pictures are rounded to bytes. Measured between an AMD EPYC (the
reference) and an Intel Xeon: at most 2.2e-3 of the width, rates not at all."""
PASSED_ON = ("PIP_", "UV_", "SSL_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pythons", nargs="*", help="interpreters (all that are found, from 3.11 on)")
    parser.add_argument("--tests", action="store_true", help="run the quick tests too")
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "matrix.md")
    arguments = parser.parse_args(words)
    pythons = arguments.pythons or list(find_pythons())
    rows = []
    for python in pythons:
        rows.append(try_python(python, ROOT, tests=arguments.tests))
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(markdown(rows), encoding="utf-8")
        print(markdown(rows), flush=True)
    return int(not rows or not all(row["ok"] for row in rows))


def find_pythons() -> Iterator[str]:
    """List interpreters on the path and of pyenv, one per version, oldest first."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    if pyenv := shutil.which("pyenv"):
        versions = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=True).stdout.strip()
        folders += sorted(Path(versions).glob("versions/*/bin"))
    found: dict[str, str] = {}
    for path in (path for folder in folders for path in sorted(folder.glob("python3*"))):
        version, program = _interpreter(str(path))
        if program and version not in found:
            found[version] = program
    yield from (found[version] for version in sorted(found, key=lambda text: [int(part) for part in text.split(".")]))


def _interpreter(python: str) -> tuple[str, str]:
    """Return version and program of a sufficiently new interpreter, resolving shims. Else two empty texts."""
    code = f"import sys; print(sys.version_info[:2] >= {OLDEST} and sys.prefix == sys.base_prefix)"
    code += "; print('.'.join(map(str, sys.version_info[:3]))); print(sys.executable)"
    try:
        ended = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return "", ""
    right, *rest = ended.stdout.split("\n")[:3] if ended.returncode == 0 else ("",)
    return (rest[0], rest[1]) if right == "True" else ("", "")


def try_python(python: str, repository: Path, *, tests: bool) -> dict[str, object]:
    """Return one row: the cost of an interpreter and whether it reproduced the committed table."""
    version, program = _interpreter(python)
    row: dict[str, object] = {"python": version or python, "ok": False}
    if not program:
        return row | {"problem": f"no Python {'.'.join(map(str, OLDEST))} or newer"}
    with tempfile.TemporaryDirectory(prefix="textedit-bench-") as scratch:
        home, clone = Path(scratch) / "home", Path(scratch) / "clone"
        home.mkdir()
        subprocess.run(["git", "clone", "--quiet", str(repository), str(clone)], check=True)
        kept = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
        environment = {**kept, "PATH": os.environ["PATH"], "HOME": str(home), "PYTHON": program}
        stages = [("installation", ["venv"]), ("bench", ["bench", "METHOD=ffclip", "DATASET=ffhq"])]
        for name, words in stages + ([("tests", ["test"])] if tests else []):
            start = time.monotonic()
            ended = _make(words, clone, environment)
            row[name] = time.monotonic() - start
            if ended.returncode:
                row["problem"] = f"{name}: exit {ended.returncode}: {_last_line(ended.stderr or ended.stdout)}"
                return row
            if name == "tests":
                row["passed"] = _last_line(ended.stdout)
        results = clone / "results"
        figures = row["figures"] = read_table(results / TABLE)
        differences, largest = compare(read_table(results / "reference" / TABLE), figures)
    row["table"] = "equal" if largest == 0 else f"within {largest:.0e} of the interval's width"
    if differences:
        row["problem"] = f"table: {len(differences)} figures differ, first {differences[0]}"
    row["ok"] = not differences
    return row


def _make(words: list[str], clone: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    print(f"make {' '.join(words)} with {environment['PYTHON']}", file=sys.stderr, flush=True)
    return subprocess.run(["make", "-s", *words], cwd=clone, env=environment, capture_output=True, text=True)


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("make:")]
    return lines[-1].strip("= ") if lines else "(it said nothing)"


def read_table(path: Path) -> dict[tuple[str, ...], dict[str, str]]:
    """Read the rows of a table by their keys."""
    with path.open(encoding="utf-8", newline="") as file:
        return {tuple(row[key] for key in KEYS): row for row in csv.DictReader(file)}


def compare(
    reference: Mapping[tuple[str, ...], Mapping[str, str]], table: Mapping[tuple[str, ...], Mapping[str, str]]
) -> tuple[list[str], float]:
    """Return differences from the reference, as ``row, column: value instead of value``, and the largest allowed one.

    Every row has to be in the reference, and every column; text has to be equal, and so have figures but for
    `TOLERANCE`.
    """
    differences, largest = [], 0.0
    for key, row in table.items():
        expected = reference.get(key)
        if expected is None:
            differences.append(f"{', '.join(key)}: not in the reference")
            continue
        if set(row) != set(expected):
            differences.append(f"columns: {', '.join(sorted(set(row) ^ set(expected)))}")
            continue
        for column in row:
            share = 0.0 if column.endswith(BEST) else _difference(expected, row, column)
            if share > TOLERANCE:
                differences.append(f"{', '.join(key)}, {column}: {row[column]} instead of {expected[column]}")
            else:
                largest = max(largest, share)
    return differences, largest


def _difference(expected: Mapping[str, str], row: Mapping[str, str], column: str) -> float:
    """Return the difference of a value relative to its interval's width in the reference; infinite if undefined."""
    if row[column] == expected[column]:
        return 0.0
    figure = column.removesuffix("_low").removesuffix("_high")
    try:
        width = float(expected[f"{figure}_high"]) - float(expected[f"{figure}_low"])
        return abs(float(row[column]) - float(expected[column])) / width
    except (KeyError, ValueError, ZeroDivisionError):
        return float("inf")


def markdown(rows: Sequence[Mapping[str, object]]) -> str:
    """Render the rows as a page."""
    lines = [
        f"`make test-matrix` on {os.cpu_count()} cores, {platform.system()} {platform.machine()}: fresh clones, empty "
        "homes and caches.",
        "",
    ]
    cells = []
    for row in rows:
        table = row.get("problem") or row.get("table", "")
        if row is not rows[0] and "figures" in row and row["figures"] == rows[0].get("figures"):
            table = f"{table}; as {rows[0]['python']} to the last digit"
        times = _seconds(row, "installation"), _seconds(row, "bench")
        texts = (row["python"], *times, table, row.get("passed", "not run"))
        cells.append([str(text).replace("|", "/") for text in texts])
    lines += table_lines(("Python", "installation, s", "bench, s", "table", "quick tests"), cells, "lrrll")
    return "\n".join(lines) + "\n"


def _seconds(row: Mapping[str, object], stage: str) -> str:
    return f"{row[stage]:.0f}" if stage in row else "-"


if __name__ == "__main__":
    sys.exit(main())
