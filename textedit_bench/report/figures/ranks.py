"""Draw average ranks with their intervals, and groups of methods that do not differ significantly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from textedit_bench.report.figures import canvas
from textedit_bench.report.figures.canvas import COLOURS, Look

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_ranks(rows: pd.DataFrame, metric: str, looks: Mapping[str, Look], *, width: float = 580) -> Figure:
    """Draw one metric's critical-difference diagram: a point per method, a bar per group without a difference.

    Args:
        rows: of one metric, from `textedit_bench.report.ranks.ranks_frame`.
        metric: its title.
        looks: of the methods.
        width: pixels.
    """
    rows = rows.sort_values("average_rank", kind="stable").reset_index(drop=True)
    letters = sorted({letter for cliques in rows["cliques"] for letter in str(cliques)})
    groups = [rows[rows["cliques"].astype(str).str.contains(letter, regex=False)] for letter in letters]
    groups = [group for group in groups if len(group) > 1]
    longest = 34 if width > 400 else 20
    left = canvas.names_width(list(rows["title"]), longest)
    right = 14 + 7.0 * len(groups)
    figure = canvas.blank(width, 20.0 * len(rows) + 46)
    axis = canvas.place(figure, left, 4, width - left - right, 20.0 * len(rows))
    axis.set_xlim(0.8, max(len(rows), 2) + 0.2)
    for i, row in enumerate(rows.to_dict("records")):
        look = looks[row["title"]]
        axis.plot([row["low"], row["high"]], [i, i], color=look.colour, linewidth=1.8, solid_capstyle="round")
        (mark,) = axis.plot(row["average_rank"], i, look.marker, color=look.colour, markersize=7)
        words = f"{row['title']}: average rank {row['average_rank']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"
        canvas.tell(mark, words, method=row["title"])
    for number, group in enumerate(groups):
        x = 1 + (8 + 7.0 * number) / (width - left - right)
        (line,) = axis.plot(
            [x, x], [group.index[0] - 0.3, group.index[-1] + 0.3], color=COLOURS["soft"], linewidth=3,
            solid_capstyle="round", transform=axis.get_yaxis_transform(), clip_on=False,
        )  # fmt: skip
        canvas.tell(line, f"not told apart: {', '.join(group['title'])}")
    canvas.caption(axis, f"average rank by {metric} (1 is best)" if width > 400 else "average rank")
    canvas.name_rows(axis, list(rows["title"]), longest)
    return figure
