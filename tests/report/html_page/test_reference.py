"""What is committed of a bench can be told from its manifest."""

from __future__ import annotations

import hashlib
import json

from textedit_workshop.pages.reference_results import copy_census, copy_reference


def test_the_manifest_names_every_cell_and_file(tmp_path, store):
    (store.root / "mini" / "table.md").write_text("a table")
    (store.root / "mini" / "secret.parquet").write_text("raw records stay")
    manifest = json.loads(copy_reference(store.root, tmp_path / "reference").read_text())
    folder = tmp_path / "reference" / "mini"
    assert set(manifest["files"]) == {"table.md", "report.html"}
    assert {p.name for p in folder.iterdir()} == {"table.md", "report.html", "manifest.json"}
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert len(manifest["cells"]) == 9
    assert manifest["commands"] == ["textedit-bench bench -m x"]


def test_the_manifest_of_a_census_counts_prompts_per_method(tmp_path, store):
    (store.root / "mini" / "pairs.csv").write_text("pairs")
    (store.root / "mini" / "matched.csv").write_text("not one of a census")
    manifest = json.loads(copy_census(store.root, tmp_path / "reference").read_text())
    folder = tmp_path / "reference" / "mini" / "census"
    assert "pairs.csv" in manifest["files"] and "matched.csv" not in manifest["files"]
    assert {p.name for p in folder.iterdir()} == {*manifest["files"], "manifest.json"}
    assert sum(cell["prompts"] for cell in manifest["cells"]) == 9
    assert manifest["commands"] == ["textedit-bench bench -m x"]
