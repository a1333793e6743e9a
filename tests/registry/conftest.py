"""Distributions made of files, found through the real metadata machinery."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Lay a distribution on the path: its entry points (group -> name -> value) and its modules (name -> source)."""
    laid: set[str] = set()

    def lay(distribution: str, points: dict[str, dict[str, str]], modules: dict[str, str] | None = None) -> Path:
        root = tmp_path / f"site-{distribution}"
        info = root / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        lines = [f"[{group}]\n" + "\n".join(f"{k} = {v}" for k, v in names.items()) for group, names in points.items()]
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
        for name, source in (modules or {}).items():
            (root / f"{name}.py").write_text(source)
            laid.add(name)
        monkeypatch.syspath_prepend(root)
        return root

    yield lay
    for name in laid:
        sys.modules.pop(name, None)
