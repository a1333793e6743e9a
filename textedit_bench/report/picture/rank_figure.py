"""Average ranks with their groups of methods that are not told apart, as SVG."""

from __future__ import annotations

import pandas as pd

from textedit_bench.report.picture.svg import element, figure, hint, text

_WIDTH, _LEFT, _RIGHT, _TOP, _STEP, _BAR = 700.0, 270.0, 64.0, 40.0, 26.0, 10.0


def ranks_svg(rows: pd.DataFrame, metric: str) -> str:
    """One metric's critical-difference diagram.

    A dot per method at its average rank, below them a bar over each group that is not told apart.

    Args:
        rows: of one metric, as `textedit_bench.report.ranks.ranks_frame` gives them.
        metric: how it is written.
    """
    rows = rows.sort_values("average_rank", kind="stable").reset_index(drop=True)
    count = max(len(rows), 2)

    def place(rank: float) -> float:
        return _LEFT + (rank - 1) / (count - 1) * (_WIDTH - _LEFT - _RIGHT)

    letters = sorted({letter for cliques in rows["cliques"] for letter in str(cliques)})
    groups = [rows[rows["cliques"].astype(str).str.contains(letter, regex=False)] for letter in letters]
    groups = [group for group in groups if len(group) > 1]
    bottom = _TOP + len(rows) * _STEP
    height = bottom + 12 + _BAR * len(groups)
    parts = []
    for rank in range(1, count + 1):
        x = place(rank)
        parts.append(element("line", x1=x, x2=x, y1=_TOP - 8, y2=height - 8, class_="grid"))
        parts.append(text(str(rank), x, _TOP - 14, class_="tick", text_anchor="middle"))
    for number, group in enumerate(groups):
        ends = [place(float(rank)) for rank in (group["average_rank"].min(), group["average_rank"].max())]
        y = bottom + 8 + _BAR * number
        said = hint(f"not told apart: {', '.join(group['title'])}")
        parts.append(element("line", said, x1=ends[0], x2=ends[1], y1=y, y2=y, class_="clique"))
    for i, row in rows.iterrows():
        x, y = place(float(row["average_rank"])), _TOP + (int(str(i)) + 0.5) * _STEP
        parts.append(text(str(row["title"]), _LEFT - 22, y + 4, 36, class_="legend", text_anchor="end"))
        low, high = float(row["low"]), float(row["high"])
        said = hint(f"{row['title']}: average rank {row['average_rank']:.2f} [{low:.2f}, {high:.2f}]")
        parts.append(element("line", x1=place(low), x2=place(high), y1=y, y2=y, class_="whisker"))
        parts.append(element("circle", said, cx=x, cy=y, r=5.5, class_="rank"))
        parts.append(text(f"{row['average_rank']:.2f}", _WIDTH - 8, y + 4, class_="tick", text_anchor="end"))
    return figure("".join(parts), _WIDTH, height, f"Average ranks by {metric}")
