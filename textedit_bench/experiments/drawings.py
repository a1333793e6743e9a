"""Draw the values of an experiment with the report's chart: a panel per metric, published values as ticks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pandas as pd

from textedit_bench.experiments.comparison import Comparison, Pair
from textedit_bench.experiments.measured import Heading
from textedit_bench.experiments.verdict import Verdict
from textedit_bench.report.columns import ColumnSpec
from textedit_bench.report.figures.canvas import method_looks
from textedit_bench.report.figures.every import Drawing
from textedit_bench.report.figures.overview import draw_overview

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
    """List one chart per data set with measured values; its rows are methods, with their settings where they differ."""
    for dataset in dict.fromkeys(pair.measured.dataset for pair in table.pairs):
        pairs = [p for p in table.pairs if p.measured.dataset == dataset and math.isfinite(p.measured.value)]
        headings = {pair.measured.heading.text: pair.measured.heading for pair in pairs}
        columns = [
            _Column(text, text, bool(heading.higher_is_better), heading.decimals, False, "image", heading)
            for text, heading in headings.items()
        ]
        several = len({pair.measured.setting for pair in pairs}) > 1
        rows: dict[tuple[str, str], dict[str, object]] = {}
        for pair in pairs:
            for kind, values in _values(pair).items():
                title = ", ".join(filter(None, [pair.measured.title, pair.measured.setting if several else ""]))
                row = rows.setdefault((title, kind), {"title": title or table.experiment.title, "prompt_set": kind})
                row |= {"method": pair.measured.method, "control": pair.measured.control, **values}
        names = [column.name + end for column in columns for end in ("", "_low", "_high", "_best")]
        frame = pd.DataFrame(list(rows.values()), columns=["title", "prompt_set", "method", "control", *names])
        looks = method_looks(sorted(set(frame["title"])))
        if len(frame):
            chart = partial(draw_overview, frame.fillna({name: False for name in names[3::4]}), columns, looks)
            yield Drawing("overview", dataset, dataset, f"{table.experiment.title} on {dataset}", chart, 800.0)


def _values(pair: Pair) -> dict[str, dict[str, object]]:
    """Return columns of the measured row, and of the published one if the two can be compared."""
    measured, name = pair.measured, pair.measured.heading.text
    ends = {f"{name}_low": measured.low, f"{name}_high": measured.high, f"{name}_best": measured.best}
    found: dict[str, dict[str, object]] = {"measured": {name: measured.value, **ends}}
    if pair.published is not None and pair.published.ends is not None and pair.verdict in _COMPARED:
        found["published"] = {name: sum(pair.published.ends) / len(pair.published.ends)}
    return found
