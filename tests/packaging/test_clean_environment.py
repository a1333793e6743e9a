"""The source distribution and the wheel, built, installed and used where nothing of the repository can be seen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = {".gitignore"}
"""Tracked files that a source distribution has no use for."""

pytestmark = pytest.mark.slow


def _run(*words: str, cwd: Path, **environment: str) -> str:
    plain = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV", "RAY_ADDRESS")}
    ended = subprocess.run(words, cwd=cwd, env={**plain, **environment}, capture_output=True, text=True)
    assert ended.returncode == 0, f"{' '.join(words)}\n{ended.stdout[-2000:]}\n{ended.stderr[-2000:]}"
    return ended.stdout


def _tracked() -> list[str]:
    return subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")[
        :-1
    ]


def _hook(name: str, source: Path, out: Path) -> Path:
    """Call a hook of the build backend; offline, with what is installed."""
    code = f"import sys, setuptools.build_meta as b; print(b.{name}(sys.argv[1]))"
    made = _run(sys.executable, "-P", "-c", code, str(out), cwd=source).splitlines()[-1]
    return out / made


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """Every tracked file, away from the repository."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in _tracked():
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="module")
def sdist(source, tmp_path_factory) -> Path:
    return _hook("build_sdist", source, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def unpacked(sdist, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return next(folder.iterdir())


@pytest.fixture(scope="module")
def wheel(unpacked, tmp_path_factory) -> Path:
    """Built from the source distribution, as an installer would."""
    return _hook("build_wheel", unpacked, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def clean(wheel, tmp_path_factory) -> Path:
    """An environment with the wheel, and the libraries that it requires as this one has them.

    A path in a .pth file is searched, but the .pth files in it are not read: the editable install stays unseen.
    """
    folder = tmp_path_factory.mktemp("clean") / "venv"
    _run(sys.executable, "-m", "venv", "--without-pip", str(folder), cwd=folder.parent)
    python = str(folder / "bin" / "python")
    install = ["-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", str(wheel)]
    _run(sys.executable, *install, cwd=folder.parent)
    site = Path(_run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder.parent).strip())
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def test_the_source_distribution_holds_every_tracked_file(unpacked):
    missing = [name for name in _tracked() if not (unpacked / name).exists() and (ROOT / name).is_file()]
    assert set(missing) <= LEFT_OUT


def test_the_wheel_of_the_source_distribution_is_that_of_the_checkout(wheel, source, tmp_path):
    direct = _hook("build_wheel", source, tmp_path)
    names = [sorted(zipfile.ZipFile(path).namelist()) for path in (wheel, direct)]
    assert names[0] == names[1]


def test_every_module_can_be_imported_and_does_nothing(clean, tmp_path):
    code = """
import json, os, pkgutil, sys, threading, warnings
names = ["textedit_bench", "textedit_methods", "textedit_datasets", "textedit_experiments"]
import torch, pytorch_lightning
threads, before = torch.get_num_threads(), torch.initial_seed()
found, failed = 0, {}
for package in names:
    module = __import__(package)
    for info in pkgutil.walk_packages(module.__path__, package + "."):
        if info.name.endswith("__main__"):
            continue
        try:
            __import__(info.name)
            found += 1
        except Exception as error:
            failed[info.name] = repr(error)
print(json.dumps({"home": sys.modules["textedit_bench"].__file__, "found": found, "failed": failed,
    "same": [threads == torch.get_num_threads(), before == torch.initial_seed()],
    "threads": [t.name for t in threading.enumerate()]}))
"""
    empty, home = tmp_path / "empty", tmp_path / "home"
    empty.mkdir()
    home.mkdir()
    told = _run(
        str(clean / "bin" / "python"), "-c", code, cwd=empty, HOME=str(home), TEXTEDIT_BENCH_HOME=str(home / "t")
    )
    seen = json.loads(told)  # nothing else was printed
    assert seen["home"].startswith(str(clean))
    assert seen["failed"] == {}
    assert seen["found"] > 300
    assert seen["same"] == [True, True]
    assert seen["threads"] == ["MainThread"]
    assert list(empty.iterdir()) == []
    assert not (home / "t").exists()


def test_the_embedded_tier_is_benched_from_an_empty_folder(clean, tmp_path):
    program = str(clean / "bin" / "textedit-bench")
    few = ["--images", "2", "--strengths", "0,1", "--threads", "1", "--prompts", "blond-hair", "--no-controls"]
    words = [program, "bench", "--method", "interfacegan", "--dataset", "ffhq", "--tier", "mini", *few, "--json"]
    told = json.loads(_run(*words, cwd=tmp_path, TEXTEDIT_BENCH_HOME=str(tmp_path / "home"), OMP_NUM_THREADS="1"))
    assert told["counts"] == {"done": 1}
    assert (tmp_path / "results" / "mini" / "table.csv").exists()
    stored = json.loads(next((tmp_path / "results").glob("mini/ffhq/interfacegan/*/manifest.json")).read_text())
    assert stored["infer"]["environment"]["git_revision"] is None
