"""Packages that only one feature needs: the core does without them, and the feature names its extra in one line."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from textedit_bench.assets.manifest import Asset
from textedit_bench.assets.transfer import transfer
from textedit_bench.bench.engines.cluster import connect
from textedit_bench.bench.engines.slurm import Slurm
from textedit_bench.bench.request import BenchRequest
from textedit_bench.data.decode import heic_reader
from textedit_bench.data.sources import LmdbSource
from textedit_bench.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
FEATURES = {
    name: {Requirement(text).name.replace("-", "_") for text in EXTRAS[name]}
    for name in EXTRAS
    if name not in ("dev", "docs")
}
"""Extra -> what it brings; their import names are the packages' own."""


def _fetch(folder: Path) -> None:
    asset = Asset(id="net", title="a network", url="http://127.0.0.1:9/net.bin", file="net.bin", licence="MIT")
    transfer(asset, folder / "net.bin", lambda _have, _total: None)


def _demo(_folder: Path) -> None:
    sys.modules.pop("textedit_bench.demo.app", None)
    importlib.import_module("textedit_bench.demo.app")


USES: dict[str, Callable[[Path], object]] = {
    "demo": _demo,
    "fetch": _fetch,
    "heif": lambda _folder: heic_reader(),
    "lmdb": LmdbSource,
    "ray": lambda _folder: connect(),
    "slurm": lambda folder: Slurm((BenchRequest(engine="slurm", workers=1, results=folder),)),
}


def test_every_extra_of_a_feature_is_used_by_these_tests_and_installed_by_dev():
    assert set(USES) == set(FEATURES)
    own = next(Requirement(text) for text in EXTRAS["dev"] if text.startswith("textedit-bench["))
    # pip finds no Gradio that declares a Pillow as new as that of constraints.txt, so uv installs it apart from dev.
    assert own.extras == set(FEATURES) - {"demo"}
    assert "-e '.[dev,demo]'" in (ROOT / "tools" / "venv.sh").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("extra", "package"), [(extra, name) for extra in FEATURES for name in sorted(FEATURES[extra])]
)
def test_a_missing_package_is_one_line_that_names_the_extra(extra, package, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    for name in FEATURES[extra] - {package}:  # those that import it in turn
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(UserError) as caught:
        USES[extra](tmp_path)
    message = str(caught.value)
    assert message.endswith(f"needs the extra {extra} ({package} is missing): pip install 'textedit-bench[{extra}]'")
    assert "\n" not in message


def test_every_import_of_an_optional_package_is_guarded_in_its_module():
    bare = []
    for root in ("textedit_bench", "methods", "datasets", "experiments"):
        for path in (ROOT / root).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            guarded = {name for node in ast.walk(tree) for name in _guarded(node)}
            bare += [(str(path.relative_to(ROOT)), name) for name in _imported(tree) if name not in guarded]
    optional = {package for packages in FEATURES.values() for package in packages}
    assert [(path, name) for path, name in bare if name in optional] == []


def _imported(tree: ast.AST) -> set[str]:
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level]
    return {name.partition(".")[0] for name in names}


def _guarded(node: ast.AST) -> set[str]:
    """What a ``with needs_extra("name", ...)`` imports, if the extra brings it."""
    if not isinstance(node, ast.With) or not isinstance(call := node.items[0].context_expr, ast.Call):
        return set()
    if not (isinstance(call.func, ast.Name) and call.func.id == "needs_extra"):
        return set()
    (extra,) = re.findall(r"^'(\w+)'", ast.unparse(call.args[0]))
    return _imported(node) & FEATURES[extra]


_LIGHT = """
import sys
for name in {blocked}:
    sys.modules[name] = None
import textedit_bench
from textedit_bench.cli.main import main
words = ["bench", "--method", "interfacegan", "--dataset", "ffhq", "--tier", "mini", "--images", "2"]
words += ["--strengths", "0,1", "--threads", "1", "--prompts", "blond-hair", "--no-controls"]
assert [card.name for card in textedit_bench.list_methods()]
assert main(["datasets"]) == 0
sys.exit(main(words))
"""


@pytest.mark.slow
def test_cards_and_a_bench_need_no_extra(tmp_path):
    blocked = sorted({package for packages in FEATURES.values() for package in packages} - {"requests"})  # wandb's too
    ended = subprocess.run(
        [sys.executable, "-P", "-c", _LIGHT.format(blocked=blocked)], cwd=tmp_path, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "results/mini/table.csv").is_file()
