"""Trace an entry of the table to the data from which it was computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from textedit_bench.bench.store import Store
from textedit_bench.errors import UserError, unknown_choice
from textedit_bench.metrics.column import OK
from textedit_bench.report.collect import CellFilter, ComparableCells, StoredCell, collect, stored_cells
from textedit_bench.report.rows import HEADLINE, TRAINED, UNSEEN, RowCells
from textedit_bench.report.table import build_table, measured_columns
from textedit_bench.report.table_provenance import collect_stored

SETS = (TRAINED, UNSEEN)


@dataclass(frozen=True)
class Run:
    """One cell of an entry."""

    digest: str
    folder: str
    prompt: str
    prompt_id: str
    seed: int
    weights: str | None
    settings: Mapping[str, Any]
    command: str
    git_revision: str | None
    device: str
    threads: int
    finished: str


@dataclass(frozen=True)
class Why:
    """All data of an entry.

    Attributes:
        address: ``method/data set/metric/prompt set``.
        title: title of the row.
        strength: strength of the row.
        images: photos of every prompt.
        value, low, high: as in the table; of a digest, those of its cell alone; nan if there is none.
        n, left_out: number of values, and of values without the state ok.
        protocol: of the metric.
        runs: the cells, by prompt.
        values: one row per prompt and image: ``prompt_id``, ``image``, ``value``, ``state``; empty for set metrics.
    """

    address: str
    title: str
    strength: float
    images: int
    value: float
    low: float
    high: float
    n: int
    left_out: int
    protocol: str
    runs: tuple[Run, ...]
    values: pd.DataFrame

    def to_json(self) -> dict[str, Any]:
        """Return plain values; nan becomes null."""
        values = self.values.astype(object).where(self.values.notna(), None)
        facts = {name: _known(value) for name, value in self.__dict__.items() if name not in ("runs", "values")}
        runs = [{**run.__dict__, "settings": dict(run.settings)} for run in self.runs]
        return {**facts, "runs": runs, "values": values.to_dict("records")}


def explain(store: Store, tier: str, address: str) -> list[Why]:
    """Trace an entry; returns several if the address fits rows with different settings.

    Args:
        store: the results.
        tier: the tier of the table.
        address: ``method/data set/metric``, followed by ``/trained`` or ``/unseen`` for one prompt set; or the first
            digits of a cell's digest, for all headline metrics of that cell.

    Raises:
        UserError: nothing matches; the message names the wrong part and the valid values.
    """
    parts = [part.strip() for part in address.strip("/").split("/")]
    if len(parts) == 1:
        return _of_digest(store, tier, parts[0])
    if len(parts) not in (3, 4):
        raise UserError(
            f"cell {address!r}: valid: METHOD/DATASET/METRIC[/trained|unseen], or digits of a cell's digest"
        )
    method, dataset, metric = parts[:3]
    if len(parts) == 4 and parts[3] not in SETS:
        raise unknown_choice("prompt set", parts[3], SETS)
    collected = collect_stored(store, tier, [dataset])[0]
    methods = {cell.identity.method for cell in collected.cells}
    if method not in methods:
        raise unknown_choice(f"method with results on {dataset}, tier {tier},", method, methods)
    known = [spec.name for spec in measured_columns(collected, tuple(collected.cells[0].manifest.protocols))]
    if metric not in known:
        raise unknown_choice(f"metric measured on {dataset}, tier {tier},", metric, known)
    return _entries(tier, collected, method, (metric,), parts[3:] or SETS)


def _of_digest(store: Store, tier: str, digits: str) -> list[Why]:
    stored = stored_cells(store, tier)
    found = [cell for cell in stored if cell.digest.startswith(digits)] if digits else []
    where = f"of tier {tier} in {store.root}"
    if not found:
        valid = "METHOD/DATASET/METRIC, or a stored digest"
        raise UserError(f"cell {digits!r}: no cell {where} has a digest that begins like that; valid: {valid}")
    if len(found) > 1:
        raise UserError(f"cell {digits!r}: {len(found)} cells {where} begin like that; give more of the digest")
    cell, dataset = found[0], found[0].identity.dataset
    copied = next((source for source in stored if source.digest == cell.identity.matched_to), cell)
    own = CellFilter(copied.protocol_key, frozenset(), frozenset({cell.digest}), cell.manifest.protocols)
    alone = ComparableCells(dataset, [cell], collect(dataset, stored, own).inputs)
    return _entries(tier, alone, cell.identity.method, HEADLINE, SETS)


def _entries(
    tier: str, collected: ComparableCells, method: str, metrics: tuple[str, ...], sets: Sequence[str]
) -> list[Why]:
    table = build_table(tier, [collected], metrics)
    rows = zip(collected.rows, table.frame.to_dict("records"), strict=True)
    chosen = [(row, record) for row, record in rows if row.method == method and row.prompt_set in sets]
    if not chosen:
        raise UserError(f"cell: {method} has no results for {' or '.join(sets)} prompts")
    return [_why(collected, row, record, spec.name) for row, record in chosen for spec in table.columns]


def _why(collected: ComparableCells, row: RowCells, record: Mapping[Any, Any], metric: str) -> Why:
    records = row.records
    values = records[records["metric"] == metric][["prompt_id", "image", "value", "state"]].reset_index(drop=True)
    return Why(
        address=f"{row.method}/{collected.dataset}/{metric}/{row.prompt_set}",
        title=row.title,
        strength=float(row.strength),
        images=int(row.cells[0].identity.images.count),
        value=float(record[metric]),
        low=float(record[f"{metric}_low"]),
        high=float(record[f"{metric}_high"]),
        n=int(record[f"{metric}_n"]),
        left_out=int((values["state"] != OK).sum()) if len(values) else int(record[f"{metric}_left_out"]),
        protocol=str(record[f"{metric}_protocol"]),
        runs=tuple(_run(cell) for cell in row.cells),
        values=values.sort_values(["prompt_id", "image"], kind="stable", ignore_index=True),
    )


def _run(cell: StoredCell) -> Run:
    identity, infer = cell.identity, cell.manifest.infer
    return Run(
        digest=cell.digest,
        folder=str(cell.path),
        prompt=identity.prompt.words,
        prompt_id=identity.prompt_id,
        seed=identity.seed,
        weights=identity.weights,
        settings=identity.settings,
        command=infer.command,
        git_revision=infer.environment.get("git_revision"),
        device=infer.device,
        threads=infer.threads,
        finished=infer.finished,
    )


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and value != value else value
