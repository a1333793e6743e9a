"""Draw pairwise tests: a square of methods by one metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from textedit_bench.metrics.statistics import POWER
from textedit_bench.report.columns import PERCENT
from textedit_bench.report.figures import canvas
from textedit_bench.report.figures.canvas import COLOURS, Look
from textedit_bench.report.paired_tests import ALPHA

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ROW, _TOP, _SCORE, _BOTTOM, _SMALLEST = 22.0, 22.0, 42.0, 40.0, 320.0


def draw_pairs(rows: pd.DataFrame, looks: Mapping[str, Look], *, width: float) -> Figure:
    """Draw methods as rows, in the order of the tests; columns are the same methods, by number.

    Args:
        rows: of one data set and metric, of `textedit_bench.report.paired_tests.paired_tests_frame`.
        looks: of the methods.
        width: pixels, at most.
    """
    from matplotlib.patches import Rectangle

    sure = rows[rows["p"] <= ALPHA]
    won = sure[sure["better_by"] > 0].groupby("title").size()
    lost = sure[sure["better_by"] < 0].groupby("title").size()
    titles = list(dict.fromkeys(rows["title"]))
    scale, unit = (100.0, " points") if rows["metric"].iloc[0] in PERCENT else (1.0, "")
    names = [f"{i}  {title}" for i, title in enumerate(titles, 1)]
    longest = 30 if len(titles) <= 10 else 20
    left = canvas.names_width(names, longest)
    across = min(_ROW, (width - left - _SCORE) / len(titles))
    whole = max(_SMALLEST, left + across * len(titles) + _SCORE)
    figure = canvas.blank(whole, _TOP + _ROW * len(titles) + _BOTTOM)
    axis = canvas.place(figure, left, _TOP, across * len(titles), _ROW * len(titles))
    axis.grid(visible=False)
    found = {(row["title"], row["other"]): row for row in rows.to_dict("records")}
    smallest = scale * rows["detectable"].median()
    said = f"{len(sure) // 2} of {len(rows) // 2} pairs told apart"
    if np.isfinite(smallest):
        said += f"; a difference of {smallest:.3g}{unit}\nwould be found in {POWER:.0%} of cases (median pair, alone)."
    figure.text(4 / whole, 4 / 72 / figure.get_size_inches()[1], said, size=canvas.SMALL, color=COLOURS["soft"])
    for y, title in enumerate(titles):
        for x, other in enumerate(titles):
            colour, said = COLOURS["line"], title
            if title != other:
                by, p, seen = (found[title, other][name] for name in ("better_by", "p", "detectable"))
                colour = COLOURS["band"] if not p <= ALPHA else COLOURS["good"] if by > 0 else COLOURS["bad"]
                verb = "is not told apart from" if not p <= ALPHA else "beats" if by > 0 else "is beaten by"
                size = f"{'better' if by > 0 else 'worse'} by {scale * abs(by):.3g}{unit}"
                said = f"{title} {verb} {other}: {size}; p = {p:.2g}, corrected for {len(rows) // 2} pairs"
                if not p <= ALPHA and np.isfinite(seen):
                    said += f". A difference of {scale * seen:.3g}{unit} would be found in {POWER:.0%} of cases, alone"
            box = Rectangle((x - 0.45, y - 0.45), 0.9, 0.9, color=colour, linewidth=0)
            canvas.tell(box, said, method=title, other=other)
            axis.add_artist(box)
        score = axis.text(len(titles) - 0.2, y, f"{won.get(title, 0)} : {lost.get(title, 0)}", va="center")
        score.set(size=canvas.SMALL, color=COLOURS["soft"])
    axis.set_xlim(-0.5, len(titles) - 0.5)
    shown = range(0, len(titles), 1 if across > canvas.NORMAL + 2 else 2)  # numbers need room
    axis.set_xticks(shown, [str(i + 1) for i in shown])
    axis.xaxis.tick_top()
    axis.tick_params(axis="x", labelsize=canvas.SMALL - 1.5)
    canvas.name_rows(axis, titles, longest, names)
    for label, title in zip(axis.get_yticklabels(), titles, strict=True):
        label.set_color(looks[title].colour)
    return figure
