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
_COLOURS = 10
"""Of matplotlib's default cycle."""
_MARKERS = ("o", "s", "^", "D", "v")
_CONTROL_LINES: tuple[Any, ...] = ("--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)))
_LEGEND_INSIDE = 12


def curve(row: RowCells, metrics: Sequence[str]) -> pd.DataFrame:
    """Means of metrics per strength over all values whose state is ok; index: strength, ascending."""
    records = pd.concat([cell.records() for cell in row.cells], ignore_index=True)
    chosen = records[records["metric"].isin(metrics) & (records["state"] == OK)]
    wide = chosen.groupby(["strength", "metric"], sort=True)["value"].mean().unstack("metric")
    return wide.reindex(columns=list(metrics))


def draw_curves(collected: Collected) -> Figure | None:
    """Curves of the methods of a data set for trained prompts; None where no pair of metrics was measured.

    Controls that copy a method's steps or edits are left out, since there is one for every method.

    Each point is one strength; the ring marks the method's default. Curves further up and to the right are better.
    """
    from matplotlib.figure import Figure

    rows = [row for row in make_rows(collected.cells) if row.prompt_set == TRAINED and not row.matched]
    pairs = [(axes, [curve(row, axes) for row in rows]) for axes in AXES]
    usable = [(axes, curves) for axes, curves in pairs if any(c.notna().all(axis=1).any() for c in curves)]
    if not usable:
        return None
    (x, y), curves = usable[0]
    looks = line_looks(rows)
    figure = Figure(figsize=(6.4, 4.4), dpi=150, layout="constrained")
    axis = figure.add_subplot()
    for row, points, look in zip(rows, curves, looks, strict=True):
        known = points.dropna()
        if known.empty:
            continue
        (line,) = axis.plot(known[x], known[y], markersize=3.5, label=_plain(row.title), **look)
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
    # Beside the axes where there are many: a legend over the lines would hide them.
    many = len(rows) > _LEGEND_INSIDE
    if many:
        axis.legend(fontsize=6, loc="center left", bbox_to_anchor=(1.0, 0.5))
        figure.set_size_inches(10.0, max(4.4, 0.14 * len(rows)))
    else:
        axis.legend(fontsize=8)
    return figure


def line_looks(rows: Sequence[RowCells]) -> list[dict[str, Any]]:
    """Colour, line and marker of each row.

    Methods differ in colour, and in marker where colours come back; a control that copies a measure of a method has its
    colour, in another line.
    """
    subjects: dict[tuple[str, str], int] = {}
    matched: dict[tuple[str, str], int] = {}
    looks = []
    for row in rows:
        subject = (row.matched or row.method, row.variant)
        turn, colour = divmod(subjects.setdefault(subject, len(subjects)), _COLOURS)
        line = "-"
        if row.control:
            line = _CONTROL_LINES[matched.get(subject, 0) % len(_CONTROL_LINES)]
            matched[subject] = matched.get(subject, 0) + 1
        looks.append(
            {
                "color": f"C{colour}",
                "marker": _MARKERS[turn % len(_MARKERS)],
                "linestyle": line,
                "alpha": 0.7 if row.control else 1.0,
            }
        )
    return looks


def _plain(title: str) -> str:
    """A label that matplotlib neither hides (leading underscore) nor reads as mathematics."""
    return title.replace("$", r"\$").lstrip("_") or " "
