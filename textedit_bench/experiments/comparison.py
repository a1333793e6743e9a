"""Compare measured and published values in one table, with verdicts; rendered elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from textedit_bench.experiments.experiment import Experiment
from textedit_bench.experiments.measured import Heading, Measured
from textedit_bench.experiments.published import Published
from textedit_bench.experiments.verdict import Verdict, judge

ELSEWHERE = "not part of this benchmark"


@dataclass(frozen=True)
class Pair:
    """One row: a measured value, a published one, or both.

    Attributes:
        measured: without a value if there is only a published one.
        published: None if nothing was.
        verdict, reason: the judgement of the published value.
        difference: measured minus published; 0 within a printed range. nan if either is missing.
    """

    measured: Measured
    published: Published | None
    verdict: Verdict
    reason: str = ""
    difference: float = math.nan


@dataclass(frozen=True)
class Comparison:
    """The whole table of an experiment in one tier."""

    experiment: Experiment
    tier: str
    pairs: tuple[Pair, ...]
    footnotes: tuple[str, ...] = field(default=())

    @property
    def frame(self) -> pd.DataFrame:
        """Return one row per pair, in full precision, for the CSV."""
        return pd.DataFrame([_record(self, pair) for pair in self.pairs], columns=list(COLUMNS))

    @property
    def counts(self) -> dict[Verdict, int]:
        """Return verdict -> number of rows with published values, without zeros."""
        found = [pair.verdict for pair in self.pairs if pair.published is not None]
        return {verdict: found.count(verdict) for verdict in Verdict if verdict in found}


COLUMNS = (
    "experiment", "tier", "dataset", "metric", "heading", "method", "title", "setting", "control", "value", "low",
    "high", "n", "best", "state", "device", "published", "published_high", "source", "images", "hardware",
    "protocol", "confidence", "note", "difference", "margin", "verdict", "reason",
)  # fmt: skip


def compare(experiment: Experiment, tier: str, measured: Sequence[Measured], notes: Sequence[str] = ()) -> Comparison:
    """Join measured and published values, and judge every pair.

    Published values of methods that this benchmark does not have, and of settings that were not run, have separate
    rows, so that the table shows what is missing.
    """
    published = {value.key: value for value in experiment.published}
    rows = [(row, published.get(row.key)) for row in measured]
    covered = {row.key for row in measured}
    headings = {row.metric: row.heading for row in measured}
    known = {row.method: row.title for row in measured}
    for value in experiment.published:
        if value.key not in covered:
            rows.append((_unmeasured(value, headings.get(value.metric), known), value))
    pairs = [_pair(experiment, tier, row, value) for row, value in rows]
    order = {metric: i for i, metric in enumerate(dict.fromkeys(pair.measured.metric for pair in pairs))}
    datasets = {name: i for i, name in enumerate(dict.fromkeys(pair.measured.dataset for pair in pairs))}
    pairs.sort(key=lambda p: (datasets[p.measured.dataset], order[p.measured.metric]))
    return Comparison(experiment, tier, tuple(pairs), tuple(_footnotes(experiment, tier, pairs, notes)))


def _unmeasured(value: Published, heading: Heading | None, known: dict[str, str]) -> Measured:
    state = "not measured here" if value.method in known else ELSEWHERE
    return Measured(
        dataset=value.dataset,
        method=value.method,
        title=known.get(value.method, value.method),
        setting=value.setting,
        metric=value.metric,
        heading=heading or Heading(value.metric.replace("_", " ")),
        state=state,
    )


def _pair(experiment: Experiment, tier: str, measured: Measured, published: Published | None) -> Pair:
    margin = experiment.margins[measured.metric].margin if measured.metric in experiment.margins else None
    verdict, reason = judge(measured, published, tier=tier, margin=margin)
    difference = math.nan
    if published is not None and published.ends is not None and math.isfinite(measured.value):
        low, high = published.ends
        difference = min(measured.value - low, 0.0) if measured.value <= high else measured.value - high
    return Pair(measured, published, verdict, reason, difference)


def _footnotes(experiment: Experiment, tier: str, pairs: Sequence[Pair], notes: Sequence[str]) -> list[str]:
    found = [experiment.question, f"Source: {experiment.citation}"]
    confidences = {pair.published.confidence for pair in pairs if pair.published is not None}
    found.append(f"Tier {tier}; ± is the 95 % interval; n values lie behind a mean.")
    devices = sorted({pair.measured.device for pair in pairs if pair.measured.device})
    found += [f"Times were measured on {' and on '.join(devices)}."] if devices else []
    if confidences:
        found.append(
            "Equivalent: the interval lies within the stated margin around the published value; different: wholly "
            "outside; inconclusive: neither."
        )
        if tier != "full":
            found.append(
                f"Tier {tier} has its own pictures and networks: its figures are NOT COMPARABLE with published ones, "
                "which are shown for orientation only."
            )
    meanings = {
        "secondhand": "* second-hand: read in a text about the source, not in the source.",
        "computed": "† computed by us from arrays that the authors released.",
        "unverified": "? the table exists, but nobody could verify its value; the README of the experiments says how "
        "to add it.",
    }
    found += [text for confidence, text in meanings.items() if confidence in confidences]
    found += [
        f"Margin of {metric}: {margin.margin:g} ({margin.reason})." for metric, margin in experiment.margins.items()
    ]
    found += [line for pair in pairs if pair.published is not None for line in _origin(pair)]
    return list(dict.fromkeys([*found, *experiment.notes, *notes]))


def _origin(pair: Pair) -> list[str]:
    """Describe the source of a published value, its pictures, and caveats."""
    value = pair.published
    assert value is not None
    details = [value.images and f"on {value.images}", value.hardware and f"measured on {value.hardware}"]
    said = "; ".join(part for part in details if part)
    lines = [f"Published in {value.source}{f' ({said})' if said else ''}."]
    if value.note:
        name = ", ".join(part for part in (pair.measured.title or value.method, value.setting) if part)
        lines.append(f"{name}, {pair.measured.heading.title}: {value.note}.")
    return lines


def _record(table: Comparison, pair: Pair) -> dict[str, Any]:
    measured, published = pair.measured, pair.published
    margin = table.experiment.margins.get(measured.metric)
    own = published.margin if published is not None else None
    return {
        "experiment": table.experiment.name,
        "tier": table.tier,
        **{name: getattr(measured, name) for name in COLUMNS[2:16] if hasattr(measured, name)},
        "heading": measured.heading.title,
        "published": published.value if published is not None else None,
        "published_high": published.high if published is not None else None,
        **{
            name: getattr(published, name) if published is not None else ""
            for name in ("source", "images", "hardware", "protocol", "confidence", "note")
        },
        "difference": pair.difference,
        "margin": own if own is not None else (margin.margin if margin is not None else None),
        "verdict": pair.verdict.value,
        "reason": pair.reason,
    }
