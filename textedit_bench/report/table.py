"""Build the comparison table: a pure function of collected records, rendered elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
import pandas as pd

from textedit_bench.bench.inputs import REFERENCE
from textedit_bench.metrics.column import Protocol, bounds_of
from textedit_bench.metrics.sets import SET_METRICS
from textedit_bench.metrics.statistics import POWER, spread_of
from textedit_bench.report.collect import ComparableCells
from textedit_bench.report.footnotes import footnotes, row_remarks
from textedit_bench.report.intervals import Figure, image_figures, set_figures
from textedit_bench.report.rows import (
    FID_PHOTOS,
    TO_PHOTO,
    ColumnSpec,
    RowCells,
    check_protocols,
    column_specs,
    headline,
)
from textedit_bench.seeds import seed_of

_REFERENCES = {"real": REFERENCE, "inversion": "inversion", "source": "photo"}
KEYS = ("dataset", "prompt_set", "method", "title", "control", "strength", "prompts", "images", "edits")


@dataclass(frozen=True)
class Table:
    """One table with everything needed to render it.

    Attributes:
        tier: the tier; tables of two tiers are never joined.
        columns: metric columns in order.
        frame: one row per method, data set and prompt set. Besides `KEYS`, each metric m has the columns ``m`` (point),
            ``m_low``, ``m_high`` (95 % interval), ``m_n`` (number of values), ``m_left_out`` (values without the state
            ok), ``m_best`` (best, or not significantly worse than the best; False for controls) and ``m_protocol``.
        footnotes: remarks for readers, plain text.
    """

    tier: str
    columns: tuple[ColumnSpec, ...]
    frame: pd.DataFrame
    footnotes: tuple[str, ...] = field(default=())

    def for_page(self) -> Table:
        """Return the table with each data set's methods in one order, best first, and references in all titles.

        The order is that of the first column on trained prompts, for unseen ones too; methods with fewer prompts come
        after the others, controls last.
        """
        frame, lead = self.frame, self.columns[0]
        methods = ~frame["control"].astype(bool)
        whole = frame["prompts"] == frame.groupby(["dataset", "prompt_set"])["prompts"].transform("max")
        rows = frame[lead.name].where(whole).groupby([frame["dataset"], frame["title"]])
        leading = rows.transform(lambda values: values.iloc[0])  # trained prompts come first
        keys = {
            "block": frame.groupby(["dataset", "prompt_set"], sort=False).ngroup(),
            "last": ~methods,
            "leading": leading.where(methods, 0.0) * (-1 if lead.higher_is_better else 1),
        }
        ordered = frame.assign(**keys).sort_values([*keys, "title"], kind="stable", ignore_index=True)
        columns = (replace(s, title=f"{s.title}, to photo") if s.name in TO_PHOTO else s for s in self.columns)
        return replace(self, frame=ordered[frame.columns], columns=tuple(columns))

    def titles(self, dataset: str) -> list[str]:
        """Return the titles of a data set's rows, in order."""
        return list(dict.fromkeys(self.frame.loc[self.frame["dataset"] == dataset, "title"]))


def build_table(tier: str, collected: Sequence[ComparableCells], metrics: tuple[str, ...] = ()) -> Table:
    """Build the table of comparable cells.

    Args:
        tier: the cells' tier.
        collected: per data set, in the order of the table.
        metrics: metrics to show, if they were measured; the headline metrics if empty.

    Raises:
        MixedProtocolsError: a column would hold values of two protocols.
    """
    if not metrics:
        photos = min((len(part.images) for part in collected if part.cells), default=0)
        metrics = headline(photos, fixed_prompts=any(part.fixed_prompts for part in collected))
    entries: list[dict[str, object]] = []
    remarks: list[str] = []
    specs: dict[str, ColumnSpec] = {}
    for part in collected:
        if not part.cells:
            continue
        columns = measured_columns(part, metrics)
        specs.update((spec.name, spec) for spec in columns)
        rows = part.rows
        check_protocols(pd.concat([row.records for row in rows], ignore_index=True))
        remarks.extend(row_remarks(rows))
        for prompt_set in dict.fromkeys(row.prompt_set for row in rows):
            block = _Block(part, [row for row in rows if row.prompt_set == prompt_set])
            entries.extend(block.entries(columns))
            remarks.extend(block.power(columns))
            remarks.extend(block.undecided())
    ordered = tuple(specs[name] for name in metrics if name in specs)
    names = [*KEYS, *(f"{s.name}{end}" for s in ordered for end in _ENDS)]
    frame = pd.DataFrame(entries, columns=names)
    return Table(tier, ordered, frame, (*footnotes(tier, collected, frame, ordered), *dict.fromkeys(remarks)))


def measured_columns(part: ComparableCells, metrics: tuple[str, ...]) -> list[ColumnSpec]:
    """Return the named columns that were measured on a data set, without those whose reference photos it lacks."""
    columns, references = column_specs(part.cells[0].manifest.protocols, metrics), part.references
    return [spec for spec in columns if not references or _reference_of(spec) in (None, *references)]


def _reference_of(spec: ColumnSpec) -> str | None:
    """Return the stored features that are the reference of a set metric."""
    return _REFERENCES[SET_METRICS[spec.name].reference] if spec.scope == "set" else None


FEW_PROMPTS = 8
"""Largest sample of prompts of which no table marks the best: prompts carry most of the variance, and of eight nearly
every method is tied."""

_ENDS = ("", "_low", "_high", "_n", "_left_out", "_best", "_protocol")


class _Block:
    """Rows that are compared with each other: one data set, one prompt set."""

    def __init__(self, part: ComparableCells, rows: list[RowCells]) -> None:
        self.dataset, self.images, self.references = part.dataset, part.images, part.references
        self.fixed_prompts, self.rows = part.fixed_prompts, rows
        self.protocols = part.cells[0].manifest.protocols
        self.prompts = tuple(sorted({prompt for row in rows for prompt in row.prompts}))
        self.features = [row.features(self.images) for row in rows]

    @property
    def few_prompts(self) -> bool:
        """Whether the prompts are too small a sample for a decision between methods."""
        return not self.fixed_prompts and len(self.prompts) <= FEW_PROMPTS

    def whole(self, row: RowCells) -> bool:
        """Whether a row has every prompt of the block; others are shown, never ranked."""
        return row.prompts == self.prompts

    def entries(self, columns: Sequence[ColumnSpec]) -> list[dict[str, object]]:
        """Return rows of the frame."""
        entries = [self._keys(row) for row in self.rows]
        for column in columns:
            for entry, row, figure in zip(entries, self.rows, self._figures(column), strict=True):
                name, edits = column.name, _edits(row)
                entry |= {
                    name: figure.point,
                    f"{name}_low": figure.low,
                    f"{name}_high": figure.high,
                    f"{name}_n": figure.n,
                    f"{name}_left_out": edits - figure.n,
                    f"{name}_best": figure.best,
                    f"{name}_protocol": self._protocol(column, figure),
                }
        return entries

    def power(self, columns: Sequence[ColumnSpec]) -> Iterator[str]:
        """Describe the smallest detectable difference of two methods in the first ranked metric with scatter."""
        rows = [row for row in self.rows if not row.control and self.whole(row)]
        for spec in columns:
            if spec.scope != "image" or spec.in_loop or len(rows) < 2:
                continue
            grids = [row.grid(spec.name, self.prompts, self.images) for row in rows]
            spreads = [spread_of(a - b, fixed_prompts=self.fixed_prompts) for a, b in combinations(grids, 2)]
            seen = float(np.median([spread.detectable() for spread in spreads]))
            if np.isfinite(seen):
                size = f"{100 * seen:.1f} points" if spec.percent else f"{seen:.{spec.decimals}f}"
                what = f"a true difference of {size}" if not spec.percent or seen <= 1.0 else "no difference"
                yield (
                    f"{self.dataset}, {self.rows[0].prompt_set} prompts: {what} in {spec.name} between two methods is "
                    f"found with {POWER:.0%} probability (median pair, before Holm's correction)."
                )
                return

    def undecided(self) -> Iterator[str]:
        """Say why a block of several methods marks none as best."""
        methods = sum(not row.control for row in self.rows)
        if methods > 1 and self.few_prompts:
            yield (
                f"{self.dataset}, {self.rows[0].prompt_set} prompts: {len(self.prompts)} is too few to mark the best; "
                "a census (--protocol census) tells methods apart."
            )

    def _keys(self, row: RowCells) -> dict[str, object]:
        return {
            "dataset": self.dataset,
            "prompt_set": row.prompt_set,
            "method": row.method,
            "title": row.title,
            "control": row.control,
            "strength": row.strength,
            "prompts": len(row.prompts),
            "images": max(len(cell.manifest.infer.ids) for cell in row.cells),
            "edits": _edits(row),
        }

    def _figures(self, column: ColumnSpec) -> list[Figure]:
        few = len(self.images) < FID_PHOTOS if column.name.startswith("fid") else self.few_prompts
        ranked = [not (row.control or column.in_loop or few) and self.whole(row) for row in self.rows]
        if column.scope == "image":
            return image_figures(
                np.stack([row.grid(column.name, self.prompts, self.images) for row in self.rows]),
                ranked,
                higher_is_better=column.higher_is_better,
                bounds=bounds_of(column.name),
                seed=seed_of(dataset=self.dataset, prompts=len(self.prompts), images=len(self.images)),
                fixed_prompts=self.fixed_prompts,
            )
        metric = SET_METRICS[column.name]
        if not self.references:
            return [Figure() for _ in self.rows]
        return set_figures(
            [f if self.whole(row) else None for row, f in zip(self.rows, self.features, strict=True)],
            ranked,
            self.references[_REFERENCES[metric.reference]],
            metric.compute,
            higher_is_better=metric.higher_is_better,
            nonnegative=not column.name.startswith("kid"),
            paired=metric.reference != "real",
        )

    def _protocol(self, column: ColumnSpec, figure: Figure) -> str:
        protocol = Protocol(**self.protocols[column.name])
        if column.scope == "image":
            return protocol.id
        return protocol.with_counts(figure.n, figure.reference_n).id if figure.n else ""


def _edits(row: RowCells) -> int:
    return sum(len(cell.manifest.infer.ids) for cell in row.cells)
