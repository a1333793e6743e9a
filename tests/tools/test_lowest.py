"""The oldest versions that are allowed: named exactly, for every feature."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_SPEC = importlib.util.spec_from_file_location("lowest_tool", ROOT / "tools" / "lowest.py")
assert _SPEC is not None and _SPEC.loader is not None
tool = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(tool)


def test_every_feature_is_named_by_its_lowest_version_and_no_tool_of_development():
    project = {
        "dependencies": ["a_b>=1.5", "c>=2.0.1,<3"],
        "optional-dependencies": {"dev": ["x>=9"], "docs": ["y>=9"], "more": ["d.e>=0.1"]},
    }
    assert list(tool.lowest(project)) == ["a_b==1.5", "c==2.0.1", "d.e==0.1"]


@pytest.mark.parametrize("requirement", ["a", "a==1", "a<2", "a[extra]>=1"])
def test_a_requirement_without_a_lowest_version_is_refused(requirement):
    with pytest.raises(ValueError, match="expected name>=version"):
        list(tool.lowest({"dependencies": [requirement], "optional-dependencies": {}}))
