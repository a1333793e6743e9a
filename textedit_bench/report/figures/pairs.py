"""Who beats whom: a square of methods by one metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from textedit_bench.report.figures import canvas
from textedit_bench.report.figures.canvas import COLOURS, Look
from textedit_bench.report.paired_tests import ALPHA

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LARGEST, _TOP, _SCORE = 22.0, 22.0, 56.0


def draw_pairs(rows: pd.DataFrame, looks: Mapping[str, Look], *, width: float) -> Figure:
    """Rows are methods, the most victories first; columns the same methods, by number.

    Args:
        rows: of one data set and metric, of `textedit_bench.report.paired_tests.paired_tests_frame`.
        looks: of the methods.
        width: pixels, at most.
    """
    from matplotlib.patches import Rectangle

    sure = rows[rows["p"] <= ALPHA]
    won = sure[sure["better_by"] > 0].groupby("title").size()
    lost = sure[sure["better_by"] < 0].groupby("title").size()
    scores = {title: (int(won.get(title, 0)), int(lost.get(title, 0))) for title in sorted(set(rows["title"]))}
    titles = sorted(scores, key=lambda title: scores[title][1] - scores[title][0])
    names = [f"{i}  {title}" for i, title in enumerate(titles, 1)]
    longest = 28
    left = canvas.names_width(names, longest)
    side = min(_LARGEST, (width - left - _SCORE) / len(titles))
    figure = canvas.blank(left + side * len(titles) + _SCORE, _TOP + side * len(titles) + 6)
    axis = canvas.place(figure, left, _TOP, side * len(titles), side * len(titles))
    axis.grid(visible=False)
    found = {(r["title"], r["other"]): (r["better_by"], r["p"]) for r in rows.to_dict("records")}
    for y, title in enumerate(titles):
        for x, other in enumerate(titles):
            colour, said = COLOURS["line"], title
            if title != other:
                by, p = found[title, other]
                colour = COLOURS["band"] if not p <= ALPHA else COLOURS["good"] if by > 0 else COLOURS["bad"]
                verb = "is not told apart from" if not p <= ALPHA else "beats" if by > 0 else "is beaten by"
                said = f"{title} {verb} {other}: {'better' if by > 0 else 'worse'} by {abs(by):.3g}, p = {p:.2g}"
            box = Rectangle((x - 0.45, y - 0.45), 0.9, 0.9, color=colour, linewidth=0)
            canvas.tell(box, said)
            axis.add_patch(box)
        axis.text(
            len(titles) - 0.2, y, f"{scores[title][0]} : {scores[title][1]}", va="center", fontsize=canvas.SMALL,
            color=COLOURS["soft"], clip_on=False,
        )  # fmt: skip
    axis.set_xlim(-0.5, len(titles) - 0.5)
    axis.set_xticks(range(len(titles)), [str(i) for i in range(1, len(titles) + 1)])
    axis.xaxis.tick_top()
    canvas.name_rows(axis, names, longest)
    for label, title in zip(axis.get_yticklabels(), titles, strict=True):
        label.set_color(looks[title].colour)
        label.set_fontsize(min(canvas.NORMAL, 0.9 * side))
    return figure
