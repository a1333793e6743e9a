"""Metrics of the bench as values of an experiment, at every method's default strength."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from textedit_bench.experiments.cells import DatasetCells
from textedit_bench.experiments.experiment import Generation, Scores
from textedit_bench.experiments.measured import Heading, Measured
from textedit_bench.report.collect import ComparableCells, StoredCell
from textedit_bench.report.rows import TRAINED, UNSEEN, ColumnSpec
from textedit_bench.report.table import Table, build_table

EVERYTHING = "all prompts"


def measure_scores(
    part: Scores | Generation, dataset: str, tier: str, cells: DatasetCells
) -> tuple[list[Measured], list[str]]:
    """Return values with their intervals, and the footnotes of their table.

    Methods without cells get one row per metric with the reason.
    """
    rows: list[Measured] = []
    notes: list[str] = []
    headings = {name: Heading(name) for name in part.metrics}
    settings: list[str] = []
    if cells.collected is not None and cells.collected.cells:
        for setting, chosen in _subsets(part, cells.collected):
            table = build_table(tier, [chosen], part.metrics)
            headings |= {spec.name: heading_of(spec) for spec in table.columns}
            notes += table.footnotes if part.per == "prompt set" else ()
            both = table.frame["prompt_set"].nunique() > 1
            for row in table.frame.to_dict("records"):
                name = _setting(setting, str(row["prompt_set"]), both)
                settings.append(name)
                rows += _values(table, row, dataset, name)
        if part.per != "prompt set":  # counts and agreement of all settings together, not one note for each of them
            notes += build_table(tier, [cells.collected], part.metrics).footnotes
    rows += _unknown(part, dataset, rows)
    if part.per != "prompt set":
        settings = [EVERYTHING]
    for method, state in cells.states.items():
        for setting in dict.fromkeys(settings) or [TRAINED]:
            rows += [
                Measured(
                    dataset=dataset,
                    method=method,
                    title=cells.titles.get(method, method),
                    setting=setting,
                    metric=metric,
                    heading=headings[metric],
                    state=state,
                )
                for metric in part.metrics
            ]
    return rows, list(dict.fromkeys(notes))


def _unknown(part: Scores | Generation, dataset: str, rows: list[Measured]) -> list[Measured]:
    """Return one row for every metric that this data set cannot measure, so that it is not dropped silently."""
    missing = set(part.metrics) - {row.metric for row in rows} if rows else ()
    return [
        Measured(dataset=dataset, method="", setting="", metric=name, heading=Heading(name), state="not measured here")
        for name in part.metrics
        if name in missing
    ]


def heading_of(spec: ColumnSpec) -> Heading:
    """Return a table column's heading."""
    return Heading(spec.title, spec.higher_is_better, spec.decimals, spec.percent)


def _subsets(part: Scores | Generation, collected: ComparableCells) -> Iterator[tuple[str, ComparableCells]]:
    """Return the cells of every setting; controls that copy a cell stay with it."""
    if part.per == "prompt set":
        yield "", collected
        return
    groups: dict[str, list[StoredCell]] = {}
    for cell in collected.cells:
        groups.setdefault(_group(part, cell), []).append(cell)
    for name in sorted(groups):
        kept = {cell.digest for cell in groups[name]}
        # The wrong-prompt control copies a cell of another prompt: it needs that cell for its own name alone.
        cells = [c for c in groups[name] if c.identity.matched_to is None or c.identity.matched_to in kept]
        yield name, ComparableCells(collected.dataset, cells, collected.inputs)


def _group(part: Scores | Generation, cell: StoredCell) -> str:
    prompt = cell.identity.prompt
    if part.per == "group":
        return prompt.group or "no group"
    if part.per == "prompt":
        return prompt.words
    count = len(prompt.asked)
    return f"{count} attribute{'' if count == 1 else 's'}"


def _setting(group: str, prompt_set: str, both: bool) -> str:
    if not group:
        return prompt_set
    return f"{group}, {prompt_set}" if both or prompt_set == UNSEEN else group


def _values(table: Table, row: dict[str, object], dataset: str, setting: str) -> Iterator[Measured]:
    for spec in table.columns:
        value, low, high = (float(row[f"{spec.name}{end}"]) for end in ("", "_low", "_high"))  # type: ignore[arg-type]
        yield Measured(
            dataset=dataset,
            method=str(row["method"]),
            title=str(row["title"]),
            setting=setting,
            metric=spec.name,
            heading=heading_of(spec),
            value=value,
            low=low,
            high=high,
            n=int(row[f"{spec.name}_n"]),  # type: ignore[call-overload]
            best=bool(row[f"{spec.name}_best"]),
            control=bool(row["control"]),
            state="no value" if pd.isna(value) else "",
        )
