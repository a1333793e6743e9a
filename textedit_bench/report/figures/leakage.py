"""Draw changed attributes by requested attributes: one small heat map per method, with equal axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from textedit_bench.report.figures import canvas
from textedit_bench.report.figures.canvas import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW, _TITLE, _HEAD, _GAP, _LEAST_WIDTH, _LEGEND = 17.0, 32.0, 78.0, 16.0, 180.0, 30.0
_SCALE = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Rates of the legend."""
_LEAST = 0.005
"""Smaller rates are not shown."""
_DARK = 0.55
"""Above this rate a cell is so dark that its number is light."""


def draw_leakage(frame: pd.DataFrame, *, width: float = 960) -> Figure | None:
    """Draw heat maps of one data set's methods, without controls; None if there are none.

    Rows are requested attributes, columns changed attributes; requested ones are framed: there a high rate is success.

    Args:
        frame: the result of `textedit_bench.report.leakage.leakage_frame`.
        width: pixels.
    """
    shown = frame[~frame["control"].astype(bool)]
    titles = list(dict.fromkeys(shown["title"]))
    if not titles:
        return None
    asked, changed = sorted(set(shown["asked"])), sorted(set(shown["attribute"]))
    left = 12 + 5.8 * max(len(_words(name)) for name in asked)
    across = max(1, min(len(titles), int((width - left) // max(18 * len(changed) + _GAP, _LEAST_WIDTH))))
    inner = (width - left - 4 - (across - 1) * _GAP) / across
    deep, tall = -(-len(titles) // across), _ROW * len(asked)
    figure = canvas.blank(width, _LEGEND + deep * (_TITLE + tall + _HEAD))
    legend = canvas.place(figure, 4, 6, 26.0 * len(_SCALE), _ROW)
    _cells(legend, {("", f"{rate:g}"): rate for rate in _SCALE}, [""], [f"{rate:g}" for rate in _SCALE])
    legend.set(xticks=[], yticks=[])
    told = canvas.shorten(
        "percent of the edits; one scale for all methods", int((width - 26 * len(_SCALE) - 14) / 5.9), 2
    )
    legend.text(len(_SCALE) - 0.2, 0, told, va="center", size=canvas.SMALL, color=COLOURS["soft"])
    for i, title in enumerate(titles):
        down, right = divmod(i, across)
        top = _LEGEND + down * (_TITLE + tall + _HEAD) + _TITLE
        axis = canvas.place(figure, left + right * (inner + _GAP), top, inner, tall)
        axis.grid(visible=False)
        canvas.head(axis, title, int(inner / 6.5))
        own = shown[shown["title"] == title]
        rates = {(r["asked"], r["attribute"]): r["rate"] for r in own.to_dict("records")}
        _cells(axis, rates, asked, changed)
        axis.set_xticks([])  # a tick costs ten times as much as a text
        for j, name in enumerate(changed):
            words = axis.text(j, len(asked) - 0.3, _words(name), ha="center", va="top", rotation=90)
            words.set(size=canvas.SMALL, color=COLOURS["soft"])
        axis.set_yticks(*((range(len(asked)), [_words(name) for name in asked]) if right == 0 else ([], [])))
    return figure


def _cells(axis: Axes, rates: dict[tuple[str, str], float], asked: list[str], changed: list[str]) -> None:
    from matplotlib.patches import Rectangle

    axis.axhspan(-0.5, len(asked) - 0.5, color=COLOURS["band"], linewidth=0)
    for i, row in enumerate(asked):
        if not any((row, column) in rates for column in changed):
            axis.text(0, i, "not measured", va="center", fontsize=canvas.SMALL - 1, color=COLOURS["soft"])
            continue
        for j, column in enumerate(changed):
            rate, corner = rates.get((row, column), 0.0), (j - 0.46, i - 0.46)
            if column in row.split(" + "):
                axis.add_artist(Rectangle(corner, 0.92, 0.92, fill=False, edgecolor=COLOURS["ink"], lw=1.3, zorder=3))
            if not rate >= _LEAST:
                continue
            box = Rectangle(corner, 0.92, 0.92, color=COLOURS["heat"], alpha=rate, lw=0)
            canvas.tell(box, f"asked {_words(row)}: {_words(column)} changed in {100 * rate:.0f} %")
            axis.add_artist(box)
            ink = COLOURS["card"] if rate > _DARK else COLOURS["ink"]
            axis.text(
                j, i, f"{100 * rate:.0f}", ha="center", va="center_baseline", fontsize=canvas.SMALL - 1, color=ink
            )
    axis.set(xlim=(-0.5, len(changed) - 0.5), ylim=(len(asked) - 0.5, -0.5))


def _words(name: str) -> str:
    return canvas.plain(name.replace("_", " "))
