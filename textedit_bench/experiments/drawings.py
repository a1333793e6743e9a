"""Draw the values of an experiment with the report's chart: a panel per metric, published values as small marks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pandas as pd

from textedit_bench.experiments.comparison import Comparison, Pair
from textedit_bench.experiments.measured import Heading, Measured
from textedit_bench.experiments.verdict import Verdict
from textedit_bench.report.figures.canvas import method_looks
from textedit_bench.report.figures.every import Drawing
from textedit_bench.report.figures.overview import draw_overview
from textedit_bench.report.rows import TRAINED, UNSEEN, ColumnSpec

_MOST_ROWS = 60
"""A chart with more cannot be read; its page has only the table."""
_COMPARED = (Verdict.EQUIVALENT, Verdict.DIFFERENT, Verdict.INCONCLUSIVE)
"""Verdicts on values that were measured alike; others would only stretch the axes."""


@dataclass(frozen=True)
class _Column(ColumnSpec):
    heading: Heading

    @property
    def arrow(self) -> str:
        """Empty: the heading has one where there is a better direction."""
        return ""

    @property
    def percent(self) -> bool:
        """Whether it is a share, shown in percent."""
        return self.heading.percent


def comparison_drawings(table: Comparison) -> Iterator[Drawing]:
    """List one chart per data set with measured values.

    Its rows are methods, with their settings where they differ. Where a setting is all trained prompts, it alone has
    rows, or a chart would have hundreds: unseen prompts are marks as in the report, single prompts only in the table.
    """
    for dataset in dict.fromkeys(pair.measured.dataset for pair in table.pairs):
        pairs = [p for p in table.pairs if p.measured.dataset == dataset and math.isfinite(p.measured.value)]
        by_set = any(pair.measured.setting == TRAINED for pair in pairs)
        if by_set:
            pairs = [pair for pair in pairs if pair.measured.setting in (TRAINED, UNSEEN)]
        if by_set and any(_published(pair) for pair in pairs):  # they are the marks
            pairs = [pair for pair in pairs if pair.measured.setting == TRAINED]
        headings = {pair.measured.heading.text: pair.measured.heading for pair in pairs}
        columns = [
            _Column(text, text, bool(heading.higher_is_better), heading.decimals, False, "image", heading)
            for text, heading in headings.items()
        ]
        several = not by_set and len({pair.measured.setting for pair in pairs}) > 1
        rows: dict[tuple[str, str], dict[str, object]] = {}
        for pair in pairs:
            measured = pair.measured
            title = ", ".join(filter(None, [measured.title, measured.setting if several else ""]))
            facts = {"title": title or table.experiment.title, "method": measured.method, "control": measured.control}
            kind = measured.setting if by_set else "measured"
            for shown, values in ((kind, _measured(measured)), ("published", _published(pair))):
                if values:
                    rows.setdefault((title, shown), {**facts, "prompt_set": shown}).update(values)
        names = [column.name + end for column in columns for end in ("", "_low", "_high", "_best")]
        frame = pd.DataFrame(list(rows.values()), columns=["title", "prompt_set", "method", "control", *names])
        looks = method_looks(sorted(set(frame["title"])))
        if 0 < len(frame) <= _MOST_ROWS:
            chart = partial(draw_overview, frame.fillna({name: False for name in names[3::4]}), columns, looks)
            yield Drawing("overview", dataset, dataset, f"{table.experiment.title} on {dataset}", chart, 800.0)


def _measured(row: Measured) -> dict[str, object]:
    name = row.heading.text
    return {name: row.value, f"{name}_low": row.low, f"{name}_high": row.high, f"{name}_best": row.best}


def _published(pair: Pair) -> dict[str, object]:
    """Return the published value; empty if there is none that can be compared."""
    if pair.published is None or pair.published.ends is None or pair.verdict not in _COMPARED:
        return {}
    return {pair.measured.heading.text: sum(pair.published.ends) / len(pair.published.ends)}
