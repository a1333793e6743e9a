"""The leakage matrix of one method as SVG."""

from __future__ import annotations

from typing import Any

import pandas as pd

from textedit_bench.report.picture.svg import element, figure, hint, text

_CELL_W, _CELL_H, _LEFT, _HEAD = 42.0, 26.0, 150.0, 96.0


def leakage_svg(rows: pd.DataFrame, title: str) -> str:
    """Asked attributes (rows) against changed ones (columns); the asked one's own cell has a frame.

    Args:
        rows: of one data set and method, as `textedit_bench.report.leakage.leakage_frame` gives them.
        title: how the method is written.
    """
    wide = rows.pivot(index="asked", columns="attribute", values="rate")
    parts = []
    for j, attribute in enumerate(wide.columns):
        x = _LEFT + (j + 0.6) * _CELL_W
        turned = f"rotate(-45 {x:g} {_HEAD - 6:g})"
        parts.append(text(_words(attribute), x, _HEAD - 6, 16, class_="tick", transform=turned))
    for i, (asked, rates) in enumerate(wide.iterrows()):
        y = _HEAD + i * _CELL_H
        parts.append(text(_words(asked), _LEFT - 8, y + 17, 22, class_="tick", text_anchor="end"))
        for j, (attribute, rate) in enumerate(rates.items()):
            parts.append(_cell(_LEFT + j * _CELL_W, y, float(rate), str(asked), str(attribute)))
    width, height = _LEFT + len(wide.columns) * _CELL_W + 30, _HEAD + len(wide.index) * _CELL_H + 8
    return figure("".join(parts), width, height, f"Leakage of {title}")


def _cell(x: float, y: float, rate: float, asked: str, attribute: str) -> str:
    own = attribute in asked.split(" + ")
    box: dict[str, Any] = {"x": x + 1, "y": y + 1, "width": _CELL_W - 2, "height": _CELL_H - 2, "rx": 3}
    if rate != rate:
        return element("rect", class_="nothing", **box)
    said = hint(f"asked {_words(asked)}: {_words(attribute)} changed in {100 * rate:.0f} %")
    kind = "heat own" if own else "heat"
    parts = [element("rect", class_="base", **box), element("rect", said, class_=kind, fill_opacity=rate, **box)]
    if rate >= 0.005:
        ink = "number strong" if rate > 0.55 else "number"
        parts.append(text(f"{100 * rate:.0f}", x + _CELL_W / 2, y + 17, text_anchor="middle", class_=ink))
    return "".join(parts)


def _words(name: object) -> str:
    return str(name).replace("_", " ")
