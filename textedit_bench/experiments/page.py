"""Lay out a comparison before any markup: blocks of lines for the renderers of the report."""

from __future__ import annotations

import math

from textedit_bench.experiments.comparison import Comparison, Pair
from textedit_bench.experiments.measured import Heading, Measured
from textedit_bench.experiments.published import Published
from textedit_bench.report.layout import Block, Entry, Line, Page

MARKS = {"seen": "", "secondhand": " *", "computed": " †", "unverified": " ?"}
"""Behind a published value; the footnotes explain them."""


def page_of(table: Comparison) -> Page:
    """Return one block per data set and metric; published columns are omitted if nothing was published."""
    with_published = bool(table.experiment.published)
    heads = ["Method", "Setting", "Measured", "n"]
    heads += ["Published", "Difference", "Verdict"] if with_published else []
    groups: dict[tuple[str, str], list[Pair]] = {}
    for pair in table.pairs:
        groups.setdefault((pair.measured.dataset, pair.measured.heading.text), []).append(pair)
    blocks = [
        Block(f"{dataset}: {metric}", tuple(_line(pair, with_published) for pair in pairs))
        for (dataset, metric), pairs in groups.items()
    ]
    title = f"{table.experiment.title} (tier {table.tier})"
    return Page(title, tuple(heads), tuple(blocks), table.footnotes)


def spread(heading: Heading, value: float, low: float, high: float) -> str:
    """Format an interval after its value: ``± 0.03``, or ``+0.03 -0.05`` if asymmetric; empty if unknown."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    up, down = heading.number(max(high - value, 0.0)), heading.number(max(value - low, 0.0))
    return f"± {up}" if up == down else f"+{up} -{down}"


def _line(pair: Pair, with_published: bool) -> Line:
    measured = pair.measured
    entries = [_measured(measured), Entry(str(measured.n) if measured.n else "-")]
    if with_published:
        verdict = pair.verdict.value + (f" ({pair.reason})" if pair.reason else "")
        entries += [_published(measured.heading, pair.published), _difference(pair), Entry(verdict, words=True)]
    title = measured.title or measured.method
    return Line(title, measured.control, measured.setting, tuple(entries))


def _measured(row: Measured) -> Entry:
    if not math.isfinite(row.value):
        return Entry(row.state or "-", words=bool(row.state))
    interval = spread(row.heading, row.value, row.low, row.high)
    return Entry(row.heading.number(row.value), interval, row.best)


def _published(heading: Heading, value: Published | None) -> Entry:
    if value is None:
        return Entry("-", words=True)
    if value.ends is None:
        return Entry("not verified" + MARKS[value.confidence], words=True)
    texts = [f"{100 * end:.12g}" if heading.percent else f"{end:.12g}" for end in dict.fromkeys(value.ends)]
    return Entry(" to ".join(texts) + MARKS[value.confidence], words=True)


def _difference(pair: Pair) -> Entry:
    if not math.isfinite(pair.difference):
        return Entry("-")
    row = pair.measured
    text = row.heading.number(pair.difference)
    return Entry(text if text.startswith("-") else f"+{text}", spread(row.heading, row.value, row.low, row.high))
