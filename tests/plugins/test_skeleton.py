"""The package of a new method: named with care, complete, and keeping the rules from the start."""

from __future__ import annotations

import ast
import importlib
import sys
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textedit_bench.errors import UserError
from textedit_bench.plugins import KINDS, Skeleton, next_commands, write_skeleton
from textedit_bench.registry import method_names
from textedit_bench.testing import TOYS, check_editor


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_method_keeps_the_rules(kind, tmp_path, monkeypatch):
    name = f"zz-new-{kind}"
    write_skeleton(name, kind, tmp_path)
    monkeypatch.syspath_prepend(tmp_path / name)
    package = Skeleton(name, kind).package
    module = importlib.import_module(f"{package}.method")
    method = getattr(module, Skeleton(name, kind).class_name)
    results = check_editor(method, geometries=TOYS[:1])
    assert sum(result.state == "passed" for result in results) > 15
    for module in [module for module in sys.modules if module.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)


@pytest.mark.parametrize("kind", KINDS)
def test_the_package_is_complete(kind, tmp_path):
    files = write_skeleton("zz-new", kind, tmp_path)
    paths = {path.relative_to(tmp_path / "zz-new").as_posix() for path in files}
    wanted = {"pyproject.toml", "README.md", "zz_new/__init__.py", "zz_new/card.py", "zz_new/method.py"}
    wanted |= {"zz_new/network.py", "zz_new/training.py"} if kind == "trained" else set()
    assert wanted | {"tests/test_conformance.py"} == paths
    project = tomllib.loads((tmp_path / "zz-new/pyproject.toml").read_text())["project"]
    assert project["entry-points"]["textedit_bench.methods"] == {"zz-new": "zz_new.card:CARD"}
    readme = (tmp_path / "zz-new/README.md").read_text()
    assert "\n".join(next_commands("zz-new", kind, ".", "ffhq")) in readme
    assert ("textedit-bench train" in readme) == (kind == "trained")
    for path in files:
        text = path.read_text()
        assert "$" not in text
        if path.suffix == ".py":
            assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("My Method", "latent", "cannot name a method"),
        ("-x", "latent", "cannot name a method"),
        ("../up", "latent", "cannot name a method"),
        ("json", "latent", "'json' exists already"),
        ("class", "latent", "'class' exists already"),
        ("torch", "latent", "'torch' exists already"),
        ("zz-new", "latente", "Did you mean 'latent'"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(name, kind, message, tmp_path):
    with pytest.raises(UserError, match=message) as caught:
        write_skeleton(name, kind, tmp_path)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_installed_method_and_a_folder_are_not_overwritten(tmp_path):
    with pytest.raises(UserError, match="is installed already"):
        write_skeleton(method_names()[0], "latent", tmp_path)
    (tmp_path / "zz-new").mkdir()
    (tmp_path / "zz-new" / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="exists already"):
        write_skeleton("zz-new", "latent", tmp_path)
    assert [path.name for path in (tmp_path / "zz-new").iterdir()] == ["mine.txt"]


@given(st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,5}){0,3}", fullmatch=True))
def test_every_name_gives_python_names(name):
    skeleton = Skeleton(name, "latent")
    assert skeleton.package.isidentifier()
    assert skeleton.class_name.isidentifier()
    assert skeleton.class_name[0].isupper()
