"""A result file: a folder's figures, how each was measured, and what it takes to do every run again.

Such files come from strangers: everything is checked when one is read, and nothing of it is ever run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from textedit_bench.bench.cell import Manifest, digest_of, load_manifest
from textedit_bench.bench.store import Store
from textedit_bench.documents import StrictModel
from textedit_bench.metrics.column import Protocol
from textedit_bench.report.collect import StoredCell
from textedit_bench.report.control_checks import refuse_wrong_controls
from textedit_bench.report.rows import RowCells
from textedit_bench.report.table import build_table
from textedit_bench.report.table_provenance import collect_stored

LARGEST = 64 << 20
"""Bytes of a file; all methods on all data sets have some million."""
Words = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]


class Row(StrictModel):
    """A method's figures on a data set: metric -> mean, ends of its interval, and protocol."""

    cells: list[str] = Field(min_length=1)
    prompt_set: Words
    variant: str
    figures: dict[str, tuple[float, float | None, float | None, Words]]


class Exported(StrictModel):
    """A result file; ``runs`` holds the manifest of every cell, and ``digest`` covers all the rest."""

    format: Literal[1]
    by: Words
    protocols: dict[str, dict[str, Protocol]]
    rows: list[Row]
    runs: dict[str, dict[str, Any]]
    digest: str

    def cells_of(self, row: Row) -> RowCells:
        """The row's cells as those of a results folder."""
        cells = (StoredCell(Path(name), Manifest.model_validate(self.runs[name])) for name in row.cells)
        return RowCells(tuple(cells), row.prompt_set, row.variant)

    @model_validator(mode="after")
    def _unchanged(self) -> Exported:
        if self.digest != _digest(self.model_dump(mode="json", exclude={"digest"})):
            raise ValueError("the digest does not match: it was changed after it was exported")
        try:
            if any({digest_of(run["identity"]), run["digest"]} != {name} for name, run in self.runs.items()):
                raise ValueError("a run is not what its digest says")
            for row in self.rows:
                self._check(row)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"it is not complete ({type(error).__name__}: {str(error)[:80]!r})") from error
        return self

    def _check(self, row: Row) -> None:
        """Refuse a row whose runs differ in more than the prompt, or whose figures were measured otherwise."""
        cells = self.cells_of(row).cells
        known = self.protocols[cells[0].identity.dataset]
        names = ("tier", "dataset", "method", "settings", "variant")
        shared = {json.dumps([cell.protocol_key, *(cell.manifest.identity.get(n) for n in names)]) for cell in cells}
        if len(shared) != 1 or not all(figure[3].startswith(known[m].id) for m, figure in row.figures.items()):
            raise ValueError(f"a row of {cells[0].identity.method[:40]!r} mixes runs or protocols")


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, allow_nan=False).encode()).hexdigest()


def export_results(store: Store, tier: str, by: str, datasets: Sequence[str] = ()) -> Exported:
    """What a results folder shows of a tier, without controls that copy a method.

    Raises:
        UserError: nothing is stored, a data set without results is asked for, or a control has wrong scores.
    """
    content: dict[str, Any] = {"format": 1, "by": by, "protocols": {}, "rows": [], "runs": {}}
    collected = collect_stored(store, tier, datasets)
    refuse_wrong_controls(collected, store.root, tier)
    table = build_table(tier, collected)
    for part in collected:
        known = part.cells[0].manifest.protocols
        names = [spec.name for spec in table.columns if spec.name in known]
        content["protocols"][part.dataset] = {name: asdict(Protocol(**known[name])) for name in names}
        own = table.frame[table.frame["dataset"] == part.dataset].to_dict("records")
        for row, found in zip(part.rows, own, strict=True):
            if row.matched:
                continue
            content["runs"] |= {cell.digest: _run(cell) for cell in row.cells}
            figures: dict[str, list[Any]] = {}
            for name in (name for name in names if np.isfinite(found[name])):
                numbers = [float(found[f"{name}{end}"]) for end in ("", "_low", "_high")]
                figures[name] = [*(x if np.isfinite(x) else None for x in numbers), found[f"{name}_protocol"]]
            facts = {"prompt_set": row.prompt_set, "variant": row.variant, "figures": figures}
            content["rows"].append({"cells": [cell.digest for cell in row.cells], **facts})
    return Exported.model_validate_json(json.dumps({**content, "digest": _digest(content)}))


def _run(cell: StoredCell) -> dict[str, Any]:
    raw, _ = load_manifest(cell.path)
    unneeded = ("cost", "ids", "protocols")
    stages = {name: {k: v for k, v in raw[name].items() if k not in unneeded} for name in ("infer", "score")}
    return {name: raw[name] for name in ("schema", "digest", "identity", "listing")} | stages
