"""Every file that the product writes is written whole or not at all: by `textedit_bench.files.write_atomically`.

The source is read, so that a new place cannot be forgotten: whatever opens a file for writing does so inside a function
that `write_atomically` is given, or stands in `KNOWN` with the reason.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [p for root in ("textedit_bench", "methods", "workshop") for p in sorted((ROOT / root).rglob("*.py"))]

WRITERS = {
    "write_text",
    "write_bytes",
    "savefig",
    "save",
    "save_file",
    "save_tensors",
    "savez",
    "open_memmap",
    "to_csv",
    "to_parquet",
}
WRITERS |= {"dump", "copyfile", "copy", "copy2", "copytree", "mkstemp", "ZipFile"}
OURS = {"write_text", "write_json", "save_picture", "write_atomically", "save_network", "write_tensors"}
"""Called as plain functions these are the shared way itself, or use it."""
KEEPERS = {"editor", "self.statistics", "found.statistics", "statistics", "subject", "super()"}
"""What has a `save` of its own that uses it: methods (tested with a full disk) and statistics."""

KNOWN = {
    "textedit_bench/files.py": "the shared way",
    "textedit_bench/assets/transfer.py": "a partial download, which has to stay",
    "textedit_bench/bench/pictures.py": "a partial archive beside, renamed when it is whole",
    "textedit_bench/bench/inputs.py": "parts in a temporary folder",
    "textedit_bench/bench/shards.py": "inside what the store hands to the shared way",
    "textedit_bench/bench/kept.py": "inside what the store hands to the shared way",
    "textedit_bench/bench/engines/node.py": "a word beside, linked into place when it is whole",
    "textedit_bench/models/storage.py": "the header of a file that the shared way is about to rename",
    "textedit_bench/bench/machine.py": "a switch of the kernel, no file",
}
MADE_UP = re.compile(r"textedit_bench/testing/|textedit_workshop/(rehearsal|perf|pages)/|/miniature\.py$")
"""Files for tests and measurements of the product itself, written into new folders, and pages that git keeps."""


def _name(node: ast.expr) -> tuple[str, str]:
    """What is called: (object, name)."""
    if isinstance(node, ast.Attribute):
        return ast.unparse(node.value), node.attr
    return "", node.id if isinstance(node, ast.Name) else ""


def _opens_for_writing(call: ast.Call, name: str) -> bool:
    if name != "open":
        return False
    modes = [a.value for a in [*call.args, *(k.value for k in call.keywords)] if isinstance(a, ast.Constant)]
    dynamic = any(isinstance(a, ast.IfExp) for a in call.args)
    return dynamic or any(
        isinstance(m, str) and re.fullmatch(r"[rwxab+]{1,3}", m) and set(m) & set("wxa+") for m in modes
    )


def _given_to_the_shared_way(tree: ast.Module) -> set[ast.AST]:
    """Functions and lambdas that `write_atomically` (or the store, which hands them to it) is given."""
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Lambda):
            first = node.args.args[0].arg if node.args.args else ""
            if first in ("temporary", "target", "path"):
                found.add(node)
        if isinstance(node, ast.Call) and _name(node.func)[1] in ("write_atomically", "partial"):
            names = [a.id for a in node.args if isinstance(a, ast.Name)]
            found |= {functions[name] for name in names if name in functions}
    return found


def _writes(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {id(child) for node in _given_to_the_shared_way(tree) for child in ast.walk(node)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or id(node) in inside:
            continue
        owner, name = _name(node.func)
        if not owner and name in OURS:
            continue
        buffer = bool(node.args) and ast.unparse(node.args[0]) in ("buffer", "stream")
        writes = name in WRITERS and owner not in KEEPERS and not buffer and _takes_a_path(owner, name, node)
        if writes or _opens_for_writing(node, name):
            yield f"{path.name}:{node.lineno}: {ast.unparse(node)[:80]}"


def _takes_a_path(owner: str, name: str, node: ast.Call) -> bool:
    """Whether a call of such a name writes a file: `dict.copy`, `json.dumps` and texts of tables do not."""
    if name in ("to_csv", "to_parquet"):
        return bool(node.args)
    if name == "ZipFile":
        return any(isinstance(a, ast.Constant) and a.value in ("w", "a", "x") for a in node.args)
    if name in ("copy", "copyfile", "copy2", "copytree"):
        return owner == "shutil"
    return name != "dump" or owner in ("json", "pickle", "yaml")


def test_no_file_is_written_in_a_way_of_its_own():
    found = []
    for path in SOURCES:
        name = str(path.relative_to(ROOT))
        if name not in KNOWN and not MADE_UP.search(name):
            found += _writes(path)
    assert found == []


@pytest.mark.parametrize("name", KNOWN)
def test_what_is_known_is_still_there(name):
    assert list(_writes(ROOT / name)) or name.endswith("/files.py")


@pytest.mark.parametrize(
    "line",
    [
        "open(path, 'w')",
        "path.open('wb')",
        "path.open(mode='a')",
        "path.write_text('x')",
        "image.save(path)",
        "figure.savefig(path)",
        "torch.save(state, path)",
        "np.savez(path, a=1)",
        "frame.to_csv(path)",
        "json.dump(value, file)",
        "safetensors.torch.save_file(state, path)",
    ],
)
def test_a_new_place_would_be_found(tmp_path, line):
    (tmp_path / "new.py").write_text(f"def f(path):\n    {line}\n")
    assert len(list(_writes(tmp_path / "new.py"))) == 1
