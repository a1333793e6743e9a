"""The effect-preservation curve: what a method keeps against what it achieves, over all strengths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from textedit_bench.metrics.column import OK
from textedit_bench.report.collect import Collected
from textedit_bench.report.rows import TRAINED, RowCells, make_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

AXES = (("success", "preservation"), ("clip_direction", "identity"))
"""Effect and preservation: ground truth where there is one, else the judges."""


def curve(row: RowCells, metrics: Sequence[str]) -> pd.DataFrame:
    """Means of metrics per strength over all values whose state is ok; index: strength, ascending."""
    records = pd.concat([cell.records() for cell in row.cells], ignore_index=True)
    chosen = records[records["metric"].isin(metrics) & (records["state"] == OK)]
    wide = chosen.groupby(["strength", "metric"], sort=True)["value"].mean().unstack("metric")
    return wide.reindex(columns=list(metrics))


def draw_curves(collected: Collected) -> Figure | None:
    """Curves of all rows of a data set for trained prompts; None where no pair of metrics was measured.

    Each point is one strength; the ring marks the method's default. Curves further up and to the right are better.
    """
    from matplotlib.figure import Figure

    rows = [row for row in make_rows(collected.cells) if row.prompt_set == TRAINED]
    pairs = [(axes, [curve(row, axes) for row in rows]) for axes in AXES]
    usable = [(axes, curves) for axes, curves in pairs if any(c.notna().all(axis=1).any() for c in curves)]
    if not usable:
        return None
    (x, y), curves = usable[0]
    figure = Figure(figsize=(6.4, 4.4), dpi=150, layout="constrained")
    axis = figure.add_subplot()
    for row, points in zip(rows, curves, strict=True):
        known = points.dropna()
        if known.empty:
            continue
        style: dict[str, Any] = {"linestyle": "--", "alpha": 0.7} if row.control else {}
        (line,) = axis.plot(known[x], known[y], marker="o", markersize=3.5, label=_plain(row.title), **style)
        if row.strength in known.index:
            default = known.loc[row.strength]
            axis.plot(default[x], default[y], "o", markersize=9, mfc="none", color=line.get_color())
    protocols = collected.cells[0].manifest["score"]["protocols"]
    axis.set_xlabel(f"{protocols[x]['title']} (effect)")
    axis.set_ylabel(f"{protocols[y]['title']} (kept)")
    axis.set_title(
        f"{collected.dataset}, tier {rows[0].cells[0].identity['tier']}: one point per strength, ring = default"
    )
    axis.grid(alpha=0.25)
    axis.legend(fontsize=8)
    return figure


def _plain(title: str) -> str:
    """A label that matplotlib neither hides (leading underscore) nor reads as mathematics."""
    return title.replace("$", r"\$").lstrip("_") or " "
