"""The wheel: complete, and working away from the repository."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("textedit_bench", "methods", "datasets", "experiments", "workshop", "pyproject.toml", "LICENSE", "README.md")
DATA = (".yaml", ".json", ".safetensors", ".md", ".css", ".js", ".tmpl")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources, so that building writes nothing into the repository."""
    copy = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        original = ROOT / name
        if original.is_dir():
            shutil.copytree(original, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif original.exists():
            shutil.copy(original, copy / name)
    return copy


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built offline with what is installed."""
    out = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-build-isolation",
        "--no-deps",
        "-w",
        str(out),
        str(source),
    ]
    subprocess.run(build, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_it_holds_every_module_and_every_data_file(source, wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    roots = {"textedit_bench": ".", "textedit_methods": "methods", "textedit_datasets": "datasets"}
    roots["textedit_experiments"] = "experiments"
    wanted = {
        path.relative_to(source / root).as_posix()
        for name, root in roots.items()
        for path in (source / root / name).rglob("*")
        if path.suffix in (".py", ".typed", *DATA) and "__pycache__" not in path.parts
    }
    assert wanted - inside == set()


def test_it_holds_nothing_else(wheel):
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    packages = {"textedit_bench", "textedit_methods", "textedit_datasets", "textedit_experiments"}
    assert {top for top in tops if not top.endswith(".dist-info")} == packages


def test_it_works_from_an_empty_folder(wheel, tmp_path):
    site, empty = tmp_path / "site", tmp_path / "empty"
    zipfile.ZipFile(wheel).extractall(site)
    empty.mkdir()
    code = """
import json, textedit_bench as teb
from textedit_bench.cli.main import main
from textedit_bench.registry import broken_datasets, broken_methods, missing_network
cards = teb.list_datasets()
print(json.dumps({
    "home": teb.__file__,
    "methods": [card.name for card in teb.list_methods()],
    "datasets": {card.name: str(card.path) for card in cards},
    "mini": {card.name: missing_network(card, "mini") for card in cards},
    "broken": [str(plugin) for plugin in (*broken_methods(), *broken_datasets())],
}))
raise SystemExit(main(["--version"]))
"""
    environment = {**os.environ, "PYTHONPATH": str(site)}
    run = [sys.executable, "-P", "-c", code]
    ended = subprocess.run(run, cwd=empty, env=environment, capture_output=True, text=True, check=True)
    first, version = ended.stdout.splitlines()
    found = json.loads(first)
    assert found["home"].startswith(str(site))
    assert found["broken"] == []
    assert found["methods"]
    assert found["datasets"]
    assert all(path.startswith(str(site)) for path in found["datasets"].values())
    missing_here = {name: lacks and lacks.split()[0] for name, lacks in found["mini"].items()}
    assert missing_here == {name: _missing_in_repository(name) for name in found["datasets"]}
    assert version.startswith("textedit-bench ")
    assert list(empty.iterdir()) == []


def _missing_in_repository(name: str) -> str | None:
    from textedit_bench.registry import load_dataset, missing_network

    lacks = missing_network(load_dataset(name), "mini")
    return lacks.split()[0] if lacks else None
