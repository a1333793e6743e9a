"""Two processes that write one file at once never share a temporary one: every such name is unique."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RESUMED = {"textedit_bench/assets/transfer.py", "textedit_bench/assets/fetch.py"}
"""A download goes on with what is there, and holds a lock meanwhile."""
MARKS = (".tmp", ".part", "TEMPORARY", ".new", ".partial")


def _fixed_names(text: str) -> list[str]:
    """Calls that make a temporary name out of the file's own and nothing else."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    names = [c for c in calls if isinstance(c.func, ast.Attribute) and c.func.attr in ("with_suffix", "with_name")]
    words = [" ".join(ast.unparse(argument) for argument in call.args) for call in names]
    return [name for name in words if any(mark in name for mark in MARKS) and "secrets." not in name]


def test_a_fixed_name_is_seen_and_a_unique_one_is_not():
    assert _fixed_names("path.with_suffix('.tmp'); path.with_name(f'{path.name}.{os.getpid()}.part')") != []
    assert _fixed_names("path.with_name(f'.{path.name}.{secrets.token_hex(6)}{TEMPORARY}')") == []


def test_no_temporary_name_is_fixed():
    found = {}
    for package in ("textedit_bench", "methods", "workshop"):
        for path in sorted((ROOT / package).rglob("*.py")):
            where = path.relative_to(ROOT).as_posix()
            if where not in RESUMED and (names := _fixed_names(path.read_text(encoding="utf-8"))):
                found[where] = names
    assert found == {}
