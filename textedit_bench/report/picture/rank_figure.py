"""Average ranks with their groups of methods that are not told apart, as SVG."""

from __future__ import annotations

from typing import Any

import pandas as pd

from textedit_bench.report.picture.svg import cut, element, figure, hint, text

_WIDTH, _LEFT, _RIGHT, _TOP, _STEP = 640.0, 220.0, 56.0, 40.0, 26.0


def ranks_svg(rows: pd.DataFrame, metric: str) -> str:
    """One metric's critical-difference diagram: a dot per method at its average rank, bars over those not told apart.

    Args:
        rows: of one metric, as `textedit_bench.report.ranks.ranks_frame` gives them.
        metric: how it is written.
    """
    rows = rows.sort_values("average_rank", kind="stable").reset_index(drop=True)
    count = max(len(rows), 2)

    def place(rank: float) -> float:
        return _LEFT + (rank - 1) / (count - 1) * (_WIDTH - _LEFT - _RIGHT)

    height = _TOP + len(rows) * _STEP + 12
    parts = []
    for rank in range(1, count + 1):
        x = place(rank)
        parts.append(element("line", x1=x, x2=x, y1=_TOP - 8, y2=height - 8, class_="grid"))
        parts.append(text(str(rank), x, _TOP - 14, class_="tick", text_anchor="middle"))
    letters = sorted({letter for cliques in rows["cliques"] for letter in str(cliques)})
    for letter in letters:
        inside = rows[rows["cliques"].astype(str).str.contains(letter, regex=False)]
        if len(inside) < 2:
            continue
        ends = [place(float(r)) for r in (inside["average_rank"].min(), inside["average_rank"].max())]
        tops = [_TOP + (float(i) + 0.5) * _STEP for i in (inside.index.min(), inside.index.max())]
        box: dict[str, Any] = {
            "x": ends[0] - 9,
            "width": ends[1] - ends[0] + 18,
            "y": tops[0] - 9,
            "height": tops[1] - tops[0] + 18,
            "rx": 9,
        }
        parts.append(element("rect", hint("not told apart"), class_="clique", **box))
    for i, row in rows.iterrows():
        x, y = place(float(row["average_rank"])), _TOP + (int(str(i)) + 0.5) * _STEP
        parts.append(text(cut(str(row["title"]), 25), _LEFT - 22, y + 4, class_="legend", text_anchor="end"))
        low, high = float(row["low"]), float(row["high"])
        said = hint(f"{row['title']}: average rank {row['average_rank']:.2f} [{low:.2f}, {high:.2f}]")
        parts.append(element("line", x1=place(low), x2=place(high), y1=y, y2=y, class_="whisker"))
        parts.append(element("circle", said, cx=x, cy=y, r=5.5, class_="rank"))
        parts.append(text(f"{row['average_rank']:.2f}", x + 12, y + 4, class_="tick"))
    return figure("".join(parts), _WIDTH, height, f"Average ranks by {metric}")
