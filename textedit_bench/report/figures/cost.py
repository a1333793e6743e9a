"""Draw milliseconds per edit as bars on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from textedit_bench.report.cost import milliseconds
from textedit_bench.report.figures import canvas
from textedit_bench.report.figures.canvas import COLOURS, Look

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_cost(frame: pd.DataFrame, looks: Mapping[str, Look], *, width: float = 580) -> Figure | None:
    """Draw one bar per method, controls last: time of the edit, without synthesis and scoring; None without any.

    Args:
        frame: a data set's rows of `textedit_bench.report.cost.cost_frame`, in the order of the bars; controls that
            copy a method are excluded.
        looks: of the methods; other bars are grey.
        width: pixels.
    """
    rows = frame[(frame["matched"] == "") & (frame["edit_ms_per_edit"] > 0)]
    if rows.empty:
        return None
    rows = rows.sort_values("title", key=lambda titles: ~titles.isin(list(looks)), kind="stable")
    titles = list(rows["title"])
    longest = 34 if width > 400 else 20
    left = canvas.names_width(titles, longest)
    figure = canvas.blank(width, 20.0 * len(rows) + 46)
    axis = canvas.place(figure, left, 4, width - left - 76, 20.0 * len(rows))
    least = rows["edit_ms_per_edit"].min() / 3  # bars on a logarithmic axis need an explicit start
    for y, row in enumerate(rows.to_dict("records")):
        took, title = row["edit_ms_per_edit"], row["title"]
        colour = looks[title].colour if title in looks else COLOURS["soft"]
        (bar,) = axis.barh(y, took - least, left=least, height=0.62, color=colour)
        words = f"{title}: {milliseconds(took)} per edit, peak {row['host_peak_mib']:.0f} MiB"
        canvas.tell(bar, words, method=title)
        axis.annotate(
            milliseconds(took), (took, y), (4, 0), va="center", textcoords="offset points", fontsize=canvas.SMALL,
            color=COLOURS["soft"], annotation_clip=False,
        )  # fmt: skip
    axis.set_xscale("log")
    axis.set_xlim(least, rows["edit_ms_per_edit"].max())
    axis.minorticks_off()
    axis.xaxis.set_major_formatter("{x:g}")
    canvas.caption(axis, "milliseconds per edit")
    canvas.name_rows(axis, titles, longest)
    return figure
