"""Copy what the repository commits of a bench, with its manifest.

``python -m textedit_workshop.pages.reference_results``: tables, audit, curves and a small picture report go to
``results/reference/<tier>/``; raw records stay out of git. ``--census --results FOLDER``: tables of a census alone, to
``results/reference/<tier>/census/``, or to a folder that is named (``--census census_faces``).
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textedit_bench.bench.machine import environment
from textedit_bench.bench.store import Store
from textedit_bench.files import sha256, write_json
from textedit_bench.report.html_page.write import MEGABYTE, NAME, write_picture_report
from textedit_bench.report.table_provenance import collect_stored
from textedit_workshop import ROOT

TABLES = ("table", "pairs", "pooled", "cost", "matched", "leakage", "ranks", "audit", "judges", "controls")
ENDINGS = ("csv", "md", "tex", "html")
COMPACT = ("csv", "md")
"""Of tables whose HTML and LaTeX would make half of the committed bytes."""
CENSUS = "census"
CENSUS_TABLES = ("table", "pairs", "pooled", "cost", "ranks", "controls")
LIMIT_MB = 3.0
MANIFEST = "manifest.json"
_LOCAL = re.compile(r" --results \S+")
"""A folder of the machine that made the results."""


def copy_reference(
    results: Path, target: Path, tier: str = "mini", limit_mb: float = LIMIT_MB, shown: Sequence[str] = ()
) -> Path:
    """Copy the tables of a tier, write its report and the manifest.

    Args:
        results: folder of a bench of everything to commit.
        target: folder of the committed results; the tier's folder is made below it.
        tier: which tier.
        limit_mb: largest report.
        shown: data sets of the report; all where empty.

    Returns:
        The manifest: commands and digests of all cells, environment, and the checksum of every copied file.
    """
    made_by = environment()  # before the copies below count as changes of the working tree
    source, folder = results / tier, target / tier
    copied = [source / f"{name}.{ending}" for name in TABLES for ending in ENDINGS]
    copied += sorted(path for ending in COMPACT for path in (source / "experiments").glob(f"*.{ending}"))
    copied += [path for path in sorted(source.glob("*/*.png")) if path.stem in ("overview", "curves", "leakage")]
    files = _copied(copied, source, folder)
    report = write_picture_report(
        Store(results), tier, datasets=shown, limit=limit_mb * MEGABYTE, output=folder / NAME, plots=False
    ).path
    cells: list[dict[str, Any]] = [
        {
            "dataset": cell.identity.dataset,
            "method": cell.identity.method,
            "prompt": cell.identity.prompt_id,
            "digest": cell.digest,
            "weights": cell.identity.weights,
            "command": _LOCAL.sub("", cell.manifest.infer.command),
        }
        for part in collect_stored(Store(results), tier)
        for cell in part.cells
    ]
    return _write_manifest(folder, tier, cells, made_by, [*files, report])


def copy_census(results: Path, target: Path, tier: str = "mini", name: str = CENSUS) -> Path:
    """Copy the tables of a census, and write their manifest.

    Args:
        results: folder of a census.
        target: folder of the committed results; the tables go to ``<tier>/<name>`` below it.
        tier: which tier.
        name: of the tables' folder.

    Returns:
        The manifest, in which a cell stands for all prompts of a method on a data set: there are thousands.
    """
    made_by = environment()
    source, folder = results / tier, target / tier / name
    files = _copied([source / f"{table}.{ending}" for table in CENSUS_TABLES for ending in COMPACT], source, folder)
    rows: dict[tuple[str, str, str], set[str]] = {}
    for part in collect_stored(Store(results), tier):
        for cell in part.cells:
            command = _LOCAL.sub("", cell.manifest.infer.command)
            rows.setdefault((cell.identity.dataset, cell.identity.method, command), set()).add(cell.identity.prompt_id)
    cells = [
        {"dataset": dataset, "method": method, "command": command, "prompts": len(prompts)}
        for (dataset, method, command), prompts in sorted(rows.items())
    ]
    return _write_manifest(folder, tier, cells, made_by, files)


def _copied(paths: Sequence[Path], source: Path, folder: Path) -> list[Path]:
    """Copy those of the paths below ``source`` that exist to the same places below ``folder``; return the copies."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for path in paths:
        if path.is_file():
            there = folder / path.relative_to(source)
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, there)
            files.append(there)
    return files


def _write_manifest(
    folder: Path, tier: str, cells: Sequence[dict[str, Any]], made_by: Any, files: Sequence[Path]
) -> Path:
    manifest = {
        "schema": 1,
        "tier": tier,
        "commands": sorted({cell["command"] for cell in cells}),
        "environment": made_by,
        "cells": cells,
        "files": {path.relative_to(folder).as_posix(): sha256(path) for path in files},
    }
    write_json(folder / MANIFEST, manifest)
    return folder / MANIFEST


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "results", help="folder of the bench")
    parser.add_argument("--tier", default="mini")
    parser.add_argument("--shown", default="ffhq", help="data sets of the report, commas (ffhq: more are over 3 MB)")
    parser.add_argument(
        "--census", nargs="?", const=CENSUS, metavar="NAME", help="the results are a census: copy its tables to NAME"
    )
    arguments = parser.parse_args()
    committed = ROOT / "results" / "reference"
    if arguments.census:
        where = copy_census(arguments.results, committed, arguments.tier, arguments.census)
    else:
        where = copy_reference(arguments.results, committed, arguments.tier, shown=arguments.shown.split(","))
    print(where, len(json.loads(where.read_text(encoding="utf-8"))["files"]), "files")
