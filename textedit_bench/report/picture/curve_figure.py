"""The effect-preservation curves of a data set as SVG."""

from __future__ import annotations

import pandas as pd

from textedit_bench.report.collect import Collected
from textedit_bench.report.curves import AXES, curve
from textedit_bench.report.picture.svg import element, figure, hint, line_class, text, ticks
from textedit_bench.report.rows import RowCells, make_rows

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM, _LEGEND = 760.0, 350.0, 62.0, 14.0, 50.0, 306.0


def curves_svg(collected: Collected, prompt_set: str) -> str:
    """One line per row, a point per strength, a ring at the default; empty where nothing can be drawn.

    Every line has a colour of its own; from the ninth on a colour comes back with another line pattern. Controls are
    dashed; those that copy a method's steps or edits are left out, since there is one for every method.
    """
    rows = [r for r in make_rows(collected.cells) if r.prompt_set == prompt_set and not r.matched]
    for axes in AXES:
        points = [(row, curve(row, axes).dropna()) for row in rows]
        drawn = [(row, frame) for row, frame in points if not frame.empty]
        if drawn:
            return _draw(collected, drawn, axes)
    return ""


def _draw(collected: Collected, drawn: list[tuple[RowCells, pd.DataFrame]], axes: tuple[str, str]) -> str:
    protocols = collected.cells[0].manifest["score"]["protocols"]
    names = [f"{protocols[a]['title']} ({what})" for a, what in zip(axes, ("effect", "kept"), strict=True)]
    every = pd.concat([frame for _, frame in drawn])
    (x_low, x_high), (y_low, y_high) = (_range(every[a]) for a in axes)
    right, bottom = _WIDTH - _LEGEND, _HEIGHT - _BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            _LEFT + (x - x_low) / (x_high - x_low) * (right - _LEFT),
            bottom - (y - y_low) / (y_high - y_low) * (bottom - _TOP),
        )

    parts = [_grid(place, (x_low, x_high), (y_low, y_high), names)]
    for i, (row, frame) in enumerate(drawn):
        parts.append(_line(row, frame, axes, i, place))
    return figure("".join(parts), _WIDTH, _HEIGHT, f"{names[1]} against {names[0]}, {collected.dataset}")


def _range(values: pd.Series) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    room = 0.06 * (high - low) or 0.05
    return low - room, high + room


def _grid(place: object, x_range: tuple[float, float], y_range: tuple[float, float], names: list[str]) -> str:
    at = place
    assert callable(at)
    right, bottom = _WIDTH - _LEGEND, _HEIGHT - _BOTTOM
    parts = []
    for value in ticks(*x_range):
        x, _ = at(value, y_range[0])
        parts.append(element("line", x1=x, x2=x, y1=_TOP, y2=bottom, class_="grid"))
        parts.append(text(f"{value:g}", x, bottom + 17, class_="tick", text_anchor="middle"))
    for value in ticks(*y_range, count=7):
        _, y = at(x_range[0], value)
        parts.append(element("line", x1=_LEFT, x2=right, y1=y, y2=y, class_="grid"))
        parts.append(text(f"{value:g}", _LEFT - 8, y + 4, class_="tick", text_anchor="end"))
    middle = (_TOP + bottom) / 2
    parts.append(text(names[0], (_LEFT + right) / 2, _HEIGHT - 10, class_="axis", text_anchor="middle"))
    turned = f"rotate(-90 14 {middle:g})"
    parts.append(text(names[1], 14, middle, class_="axis", text_anchor="middle", transform=turned))
    return "".join(parts)


def _line(row: RowCells, frame: pd.DataFrame, axes: tuple[str, str], number: int, place: object) -> str:
    at = place
    assert callable(at)
    points = [(float(s), *at(float(v[axes[0]]), float(v[axes[1]]))) for s, v in frame.iterrows()]
    kind = line_class(number) + (" control" if row.control else "")
    path = " ".join(f"{x:.1f},{y:.1f}" for _, x, y in points)
    parts = [element("polyline", points=path, class_="curve")]
    for strength, x, y in points:
        values = frame.loc[strength]
        said = f"{row.title}, strength {strength:g}: {values[axes[0]]:.3f}, {values[axes[1]]:.3f}"
        parts.append(element("circle", hint(said), cx=x, cy=y, r=3.2, class_="dot"))
        if strength == row.strength:
            parts.append(element("circle", cx=x, cy=y, r=6.5, class_="ring"))
    x, y = _WIDTH - _LEGEND + 22, _TOP + 12 + 21 * number
    parts.append(element("line", x1=x, x2=x + 22, y1=y, y2=y, class_="curve"))
    parts.append(text(row.title, x + 30, y + 4, 36, class_="legend"))
    return element("g", "".join(parts), class_=kind)
