"""Draw effect-preservation curves over all strengths, with method names at the ends of the lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from textedit_bench.metrics.column import AXES
from textedit_bench.report.collect import ComparableCells
from textedit_bench.report.columns import PERCENT, column_specs
from textedit_bench.report.figures import canvas
from textedit_bench.report.figures.canvas import COLOURS, Look
from textedit_bench.report.rows import TRAINED, RowCells

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LINES = ("--", ":", "-.")
_LONGEST = 34


def draw_curves(
    collected: ComparableCells, looks: Mapping[str, Look], prompt_set: str = TRAINED, *, width: float = 580
) -> Figure | None:
    """Draw the curves of a data set's methods; None if no pair of metrics was measured.

    Each point is one strength, the ring the method's default; up and to the right is better. Controls are grey;
    those that copy a method's steps or edits are excluded, since there is one per method.
    """
    rows = [row for row in collected.rows if row.prompt_set == prompt_set and not row.matched]
    for axes in AXES:
        points = [(row, row.curve(axes)) for row in rows]
        drawn = [(row, frame) for row, frame in points if not frame.empty]
        scales = [100.0 if name in PERCENT else 1.0 for name in axes]
        drawn = [(row, frame * scales) for row, frame in drawn]
        if drawn:
            return _draw(collected, drawn, axes, looks, width)
    return None


def _draw(
    collected: ComparableCells,
    drawn: Sequence[tuple[RowCells, pd.DataFrame]],
    axes: tuple[str, str],
    looks: Mapping[str, Look],
    width: float,
) -> Figure:
    effect, kept = (spec.title for spec in column_specs(collected.cells[0].manifest.protocols, axes))
    names = canvas.names_width([row.title for row, _ in drawn], _LONGEST) + 18
    below = width < 2.2 * names  # no room next to the lines
    height = max(300.0, 16.0 * len(drawn) + 20)
    figure = canvas.blank(width, height + 46 + (15.0 * len(drawn) + 8 if below else 0))
    axis = canvas.place(figure, 50, 8, width - 58 - (0 if below else names), height)
    axis.grid(axis="y", color=COLOURS["line"], linewidth=1)
    ends = []
    for number, (row, frame) in enumerate(drawn):
        look = Look(COLOURS["soft"], "o") if row.control else looks[row.title]
        ends.append((row, look, frame.iloc[-1]))
        frame = frame.set_axis([effect, kept], axis=1)
        _line(axis, row, frame, collected.dataset, look, _LINES[number % len(_LINES)] if row.control else "-")
    axis.margins(0.04)
    canvas.caption(axis, f"{effect} (effect)", f"{kept} (kept)")
    low, high = axis.get_ylim()
    axis.autoscale(False)
    line, beside = (high - low) * 15 / height, axis.get_yaxis_transform()
    if below:
        top = low - (high - low) * 56 / height
        places = [(top - i * line, 0.06) for i in range(len(ends))]
    else:
        wanted = [float(end[axes[1]]) for _, _, end in ends]
        places = [(y, 1.03) for y in canvas.spread(wanted, line, low, high)]
    for (row, look, end), (y, x) in zip(ends, places, strict=True):
        if not below:
            start = (float(end[axes[0]]), float(end[axes[1]]))
            target = axis.transData.inverted().transform(axis.transAxes.transform((x - 0.008, 0)))[0]
            (to,) = axis.plot([start[0], target], [start[1], y], color=look.colour, lw=0.6, alpha=0.5, clip_on=False)
            canvas.tell(to, row.title, method=row.title)
        words = axis.text(x, y, canvas.plain(canvas.shorten(row.title, _LONGEST)), transform=beside, va="center")
        words.set(size=canvas.NORMAL, color=look.colour)
        canvas.tell(words, row.title, method=row.title)
        if below:
            (key,) = axis.plot(x - 0.03, y, look.marker, color=look.colour, ms=5, transform=beside, clip_on=False)
            canvas.tell(key, row.title, method=row.title)
    return figure


def _line(axis: Axes, row: RowCells, frame: pd.DataFrame, dataset: str, look: Look, style: str) -> None:
    x, y = frame.columns
    alpha = 0.8 if row.control else 1
    (line,) = axis.plot(frame[x], frame[y], color=look.colour, linestyle=style, linewidth=1.8, alpha=alpha)
    canvas.tell(line, row.title, method=row.title)
    for strength, values in frame.iterrows():
        (mark,) = axis.plot(values[x], values[y], look.marker, color=look.colour, markersize=5, zorder=3)
        said = f"{row.title}, strength {strength:g}: {x} {values[x]:.3g}, {y} {values[y]:.3g}"
        canvas.tell(mark, said, dataset=dataset, method=row.title, strength=float(str(strength)))
        if strength == row.strength:
            (ring,) = axis.plot(values[x], values[y], "o", markersize=11, mfc="none", color=look.colour, zorder=2)
            canvas.tell(ring, f"{said} (default)", dataset=dataset, method=row.title, strength=row.strength)
