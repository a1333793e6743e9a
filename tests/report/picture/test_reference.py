"""What is committed of a bench can be told from its manifest."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path


def test_the_manifest_names_every_cell_and_file(tmp_path, store):
    path = Path(__file__).parents[3] / "tools" / "reference_results.py"
    spec = importlib.util.spec_from_file_location("reference_results", path)
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    (store.root / "mini" / "table.md").write_text("a table")
    (store.root / "mini" / "secret.parquet").write_text("raw records stay")
    manifest = json.loads(tool.copy_reference(store.root, tmp_path / "reference").read_text())
    folder = tmp_path / "reference" / "mini"
    assert set(manifest["files"]) == {"table.md", "report.html"}
    assert {p.name for p in folder.iterdir()} == {"table.md", "report.html", "manifest.json"}
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert len(manifest["cells"]) == 9
    assert manifest["commands"] == ["textedit-bench bench -m x"]
