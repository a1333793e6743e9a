"""The report's figures as PNG and PDF for papers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from textedit_bench.report.collect import Collected
from textedit_bench.report.cost import cost_frame
from textedit_bench.report.curves import draw_curves
from textedit_bench.report.leakage import draw_leakage, leakage_frame
from textedit_bench.report.ranks import ranks_frame
from textedit_bench.report.save_figure import save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDINGS = ("png", "pdf")


def write_plots(collected: Sequence[Collected], folder: Path) -> list[Path]:
    """Write every figure that the records allow, each in both formats."""
    written = []
    for name, figure in _figures(collected):
        for ending in ENDINGS:
            path = folder / f"{name}.{ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            save_figure(figure, path)
            written.append(path)
    return written


def _figures(collected: Sequence[Collected]) -> Iterator[tuple[str, Figure]]:
    cost = cost_frame(collected)
    leakage = leakage_frame(collected)
    for part in collected:
        drawn = {
            "curves": draw_curves(part),
            "leakage": draw_leakage(leakage[leakage["dataset"] == part.dataset]),
            "cost": draw_cost(cost, part.dataset),
        }
        yield from ((f"{part.dataset}-{name}", figure) for name, figure in drawn.items() if figure is not None)
    for metric, rows in ranks_frame(collected).groupby("metric", sort=False):
        yield f"ranks-{metric}", draw_ranks(rows, str(metric))


def draw_cost(frame: pd.DataFrame, dataset: str) -> Figure | None:
    """Bars of milliseconds per edit on a logarithmic axis; None where nothing was timed."""
    from matplotlib.figure import Figure

    if frame.empty:
        return None
    rows = frame[(frame["dataset"] == dataset) & (frame["matched"] == "") & (frame["edit_ms_per_edit"] > 0)]
    if rows.empty:
        return None
    rows = rows.sort_values("edit_ms_per_edit", ascending=False, kind="stable")
    figure = Figure(figsize=(6.4, 1.2 + 0.32 * len(rows)), dpi=150, layout="constrained")
    axis = figure.add_subplot()
    axis.barh([_plain(title) for title in rows["title"]], rows["edit_ms_per_edit"], color="#1f6feb")
    axis.set_xscale("log")
    axis.set_xlabel("milliseconds per edit")
    axis.set_title(str(dataset), fontsize=10)
    axis.grid(axis="x", alpha=0.25)
    return figure


def draw_ranks(rows: pd.DataFrame, metric: str) -> Figure:
    """Average ranks of one metric; a line joins methods that are not told apart."""
    from matplotlib.figure import Figure

    rows = rows.sort_values("average_rank", kind="stable").reset_index(drop=True)
    figure = Figure(figsize=(6.4, 1.2 + 0.34 * len(rows)), dpi=150, layout="constrained")
    axis = figure.add_subplot()
    for i, letter in enumerate(sorted({letter for cliques in rows["cliques"] for letter in str(cliques)})):
        inside = rows[rows["cliques"].astype(str).str.contains(letter, regex=False)]
        if len(inside) > 1:
            x = 0.06 * i
            axis.plot(inside["average_rank"] + x, inside.index, color="#9db8e8", linewidth=5, zorder=1)
    axis.hlines(rows.index, rows["low"], rows["high"], color="#1f6feb", linewidth=1.5, zorder=2)
    axis.scatter(rows["average_rank"], rows.index, color="#1f6feb", zorder=3)
    axis.set_yticks(range(len(rows)), [_plain(title) for title in rows["title"]])
    axis.invert_yaxis()
    axis.set_xlim(0.8, max(len(rows), 2) + 0.2)
    axis.set_xlabel(f"average rank by {metric} (1 is best)")
    axis.grid(axis="x", alpha=0.25)
    return figure


def _plain(title: object) -> str:
    """A label that matplotlib does not read as mathematics."""
    return str(title).replace("$", r"\$")
