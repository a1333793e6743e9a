"""The lock file: one version of each package for every supported Python, and nothing of the machine that wrote it."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LINES = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
PINS = [Requirement(line) for line in LINES if not line.startswith("#")]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
DIRECT = [Requirement(text) for text in [*PROJECT["dependencies"], *(text for name in EXTRAS for text in EXTRAS[name])]]
PYTHONS = ("3.11.0", "3.11.2", "3.11.4", "3.11.5", "3.11.7", "3.12.1", "3.13.0", "3.14.0")
WITH_PYTHON_UNTIL = {"audioop-lts": Version("3.13")}
"""Parts of the standard library that a newer Python has to install."""
PLATFORMS = {
    "Linux": {"sys_platform": "linux", "platform_machine": "x86_64"},
    "Linux on ARM": {"sys_platform": "linux", "platform_machine": "aarch64"},
    "macOS": {"sys_platform": "darwin", "platform_machine": "arm64"},
}


def _chosen(python: str, platform: dict[str, str]) -> dict[str, Requirement]:
    """Name -> the line that holds there; two lines for one package are an error."""
    there = {
        "python_full_version": python,
        "python_version": python.rpartition(".")[0],
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        **platform,
    }
    chosen = [pin for pin in PINS if pin.marker is None or pin.marker.evaluate(there)]
    counts = Counter(canonicalize_name(pin.name) for pin in chosen)
    assert [name for name, count in counts.items() if count > 1] == []
    return {canonicalize_name(pin.name): pin for pin in chosen}


@pytest.mark.parametrize("line", [line for line in LINES if not line.startswith("#")])
def test_every_line_is_one_exact_version(line):
    pin = Requirement(line)  # a marker that is none is refused
    assert re.fullmatch(r"==[^*]+", str(pin.specifier)), line
    assert (pin.url, pin.extras) == (None, set())


def test_nothing_of_the_machine_that_wrote_it_is_in_it():
    text = "\n".join(LINES)
    assert re.findall(r"https?:|file:|@|--|(?<![\w.])/\w|\\\\|~/", text) == []


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_every_supported_python_has_one_version_of_each_package(python, platform):
    assert python in SpecifierSet(PROJECT["requires-python"])
    chosen = _chosen(python, PLATFORMS[platform])
    elsewhere = re.compile("platform|implementation_name")  # in markers of what only some platforms need
    everywhere = {canonicalize_name(pin.name) for pin in PINS if not elsewhere.search(str(pin.marker or ""))}
    assert everywhere - set(chosen) <= {
        name for name, version in WITH_PYTHON_UNTIL.items() if Version(python) < version
    }
    for wanted in DIRECT:
        if wanted.name != PROJECT["name"]:
            (version,) = chosen[canonicalize_name(wanted.name)].specifier
            assert version.version in wanted.specifier, wanted


@pytest.mark.parametrize("python", PYTHONS)
def test_no_pin_asks_for_a_newer_python_than_it_is_pinned_for(python):
    """Of what is installed here, whose metadata can be read."""
    chosen = _chosen(python, PLATFORMS["Linux"])
    installed = {canonicalize_name(found.metadata["Name"]): found for found in distributions()}
    known = {name: found for name, found in installed.items() if name in chosen and found.metadata["Requires-Python"]}
    assert len(known) > 20
    refused = {
        name: found.metadata["Requires-Python"]
        for name, found in known.items()
        if str(chosen[name].specifier) == f"=={found.version}"
        and python not in SpecifierSet(found.metadata["Requires-Python"])
    }
    assert refused == {}


def test_every_requirement_names_the_lowest_version_that_was_tried():
    for text in PROJECT["dependencies"]:
        assert [bound.operator for bound in Requirement(text).specifier].count(">=") == 1, text
