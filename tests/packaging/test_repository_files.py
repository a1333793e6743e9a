"""Files that other programs read (GitHub, Read the Docs, pre-commit, citation tools) agree with the project."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import textedit_bench

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "RELEASING.md", "SECURITY.md")]
PAGES += [*sorted((ROOT / "docs" / "pages").glob("*.md")), ROOT / ".github" / "pull_request_template.md"]


def _read(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def _jobs() -> dict[str, Any]:
    return _read(".github/workflows/checks.yml")["jobs"]


def _called(text: str) -> set[str]:
    """Targets of every ``make`` command in a shell text."""
    commands = re.findall(r"(?:^|[`;&|]|\w+=\S+ )\s*make((?: +[^\s`;&|#]+)+)", text, re.M)
    return {word for words in commands for word in words.split() if re.fullmatch(r"[a-z][a-z-]*", word)}


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))


def _runs() -> str:
    return "\n".join(step["run"] for job in _jobs().values() for step in job["steps"] if "run" in step)


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9._-]", requirement)[0] for requirement in requirements}


@pytest.mark.parametrize("text", ["make ghost", "a\nmake -s lint ghost X=1", "`make ghost`", "A=b make ghost; true"])
def test_a_call_of_a_missing_target_is_noticed(text):
    assert _called(text) - _targets() == {"ghost"}


def test_the_workflow_calls_targets_that_exist():
    assert {"lint", "test", "test-lowest", "docs", "bench"} <= _called(_runs()) <= _targets()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_targets_that_exist(page):
    text = page.read_text(encoding="utf-8")
    code = "\n".join([*re.findall(r"^```.*?^```", text, re.M | re.S), *re.findall(r"`[^`\n]+`", text)])
    assert _called(code) - _targets() == set()


def test_the_workflow_tests_every_python_of_the_metadata():
    tested = _jobs()["test"]["strategy"]["matrix"]["python"]
    named = [c.rsplit(" ", 1)[1] for c in PROJECT["classifiers"] if re.search(r"Python :: 3\.\d+$", c)]
    assert tested == named
    assert PROJECT["requires-python"] == f">={named[0]}"


def test_the_hooks_run_tools_of_the_environment():
    hooks = [hook for repo in _read(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    assert {repo["repo"] for repo in _read(".pre-commit-config.yaml")["repos"]} == {"local"}
    tools = {hook["entry"].split()[0].removeprefix(".venv/bin/") for hook in hooks}
    provided = {"lint-imports": "import-linter"}
    assert {provided.get(tool, tool) for tool in tools} <= _names(PROJECT["optional-dependencies"]["dev"])
    lint = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nlint:")[2].partition("\n\n")[0]
    assert tools == set(re.findall(r"\$\(BIN\)/([\w-]+)", lint))


def test_read_the_docs_installs_the_extra_and_builds_the_site():
    settings = _read(".readthedocs.yaml")
    (command,) = settings["build"]["jobs"]["install"]
    words = command.split()[2:]
    assert words[:2] == ["--constraint", "constraints.txt"]
    assert set(words[2:]) == _names(PROJECT["optional-dependencies"]["docs"])
    assert (ROOT / settings["mkdocs"]["configuration"]).is_file()
    assert settings["mkdocs"]["fail_on_warning"] is True


def test_the_citation_is_that_of_the_release():
    citation = _read("CITATION.cff")
    assert citation["version"] == textedit_bench.__version__
    assert citation["license"] == PROJECT["license"]
    assert [author["name"] for author in citation["authors"]] == [author["name"] for author in PROJECT["authors"]]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"version = {{{textedit_bench.__version__}}}" in readme


@pytest.mark.parametrize("path", [form for form in FORMS if form.name != "config.yml"], ids=lambda path: path.stem)
def test_every_issue_form_asks_something_once(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert form["name"] and form["description"]
    ids = [field["id"] for field in form["body"]]
    assert ids and len(ids) == len(set(ids))
    assert all(field["attributes"]["label"] for field in form["body"])
    assert {field["type"] for field in form["body"]} <= {"input", "textarea", "dropdown", "checkboxes"}
