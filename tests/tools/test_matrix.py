"""The table of Pythons: what it compares, and what it says of an interpreter that fails."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from textedit_workshop.pages import matrix

ROW = {"dataset": "d", "prompt_set": "trained", "method": "m", "title": "M", "edits": "8", "lpips": "0.5"}
ROW |= {"lpips_low": "0.4", "lpips_high": "0.6", "lpips_best": "True", "lpips_protocol": "v1"}


def _key(row):
    return tuple(row[name] for name in matrix.KEYS)


@pytest.mark.parametrize(
    ("change", "largest"),
    [
        ({}, 0.0),
        ({"lpips_best": "False"}, 0.0),  # another row is there, or is not
        ({"lpips": "0.5002"}, 0.001),
        ({"lpips_high": "0.6002"}, 0.001),
    ],
)
def test_figures_may_differ_by_a_small_share_of_their_interval(change, largest):
    differences, found = matrix.compare({_key(ROW): ROW}, {_key(ROW): ROW | change})
    assert differences == []
    assert math.isclose(found, largest, abs_tol=1e-9)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"lpips": "0.51"}, "lpips: 0.51 instead of 0.5"),
        ({"lpips": ""}, "lpips:  instead of 0.5"),
        ({"edits": "7"}, "edits: 7 instead of 8"),
        ({"lpips_protocol": "v2"}, "lpips_protocol: v2 instead of v1"),
        ({"title": "N"}, "d, trained, m, N: not in the reference"),
        ({"extra": "1"}, "columns: extra"),
    ],
)
def test_everything_else_is_a_difference(change, told):
    row = ROW | change
    (found,) = matrix.compare({_key(ROW): ROW}, {_key(row): row})[0]
    assert told in found


MAKEFILE = """
venv:
	@echo "$(PYTHON) $(HOME)" >&2
bench:
	@mkdir -p results/mini && cp results/reference/mini/table.csv results/mini/table.csv && {bench}
test:
	@echo "= 3 passed in 1 s ="
"""


@pytest.mark.parametrize(
    ("bench", "ok", "told"),
    [
        ("true", True, "equal"),
        (
            "sed -i.old s/0.5/0.9/ results/mini/table.csv",
            False,
            "table: 1 figures differ, first d, trained, m, M, lpips",
        ),
        ("{ echo it broke >&2; exit 3; }", False, "bench: exit 2: it broke"),
    ],
)
def test_an_interpreter_is_tried_in_a_fresh_clone_and_its_end_is_told(tmp_path, capsys, bench, ok, told):
    reference = tmp_path / "results/reference/mini/table.csv"
    reference.parent.mkdir(parents=True)
    reference.write_text(",".join(ROW) + "\n" + ",".join(ROW.values()) + "\n")
    (tmp_path / "Makefile").write_text(MAKEFILE.format(bench=bench))
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "-A"], [*who, "commit", "-qm", "all"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    python = str(Path(sys.base_prefix) / "bin" / "python3")  # that of an environment is none of its own
    row = matrix.try_python(python, tmp_path, tests=True)
    assert row["ok"] is ok
    page = matrix.markdown([row])
    assert told in page
    assert ("3 passed in 1 s" in page) is ("exit" not in page)
    assert not (tmp_path / "results/mini").exists()


def test_equal_tables_of_two_interpreters_are_told():
    rows = [{"python": name, "table": "within 2e-03"} for name in "ABCD"]
    for row, figures in zip(rows, (1, 1, 2), strict=False):
        row["figures"] = figures
    page = matrix.markdown(rows)
    assert page.count("as A to the last digit") == 1


def test_what_is_no_python_is_told(tmp_path):
    row = matrix.try_python(str(tmp_path / "python"), tmp_path, tests=False)
    assert row["problem"] == "no Python 3.11 or newer"
