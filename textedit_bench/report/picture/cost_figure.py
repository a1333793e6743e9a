"""Milliseconds per edit as bars on a logarithmic axis, as SVG."""

from __future__ import annotations

import math

import pandas as pd

from textedit_bench.report.picture.svg import element, figure, hint, text

_WIDTH, _LEFT, _RIGHT, _TOP, _STEP = 700.0, 260.0, 80.0, 30.0, 26.0


def cost_svg(frame: pd.DataFrame, dataset: str) -> str:
    """One bar per method: time of the edit itself, synthesis and judges not counted; empty where nothing was timed.

    Args:
        frame: as `textedit_bench.report.cost.cost_frame` gives it.
        dataset: whose rows are drawn; rows of controls that copy a method are left out.
    """
    rows = frame[(frame["dataset"] == dataset) & (frame["matched"] == "") & (frame["edit_ms_per_edit"] > 0)]
    if rows.empty:
        return ""
    rows = rows.sort_values("edit_ms_per_edit", kind="stable")
    low = math.floor(math.log10(rows["edit_ms_per_edit"].min()))
    high = max(math.ceil(math.log10(rows["edit_ms_per_edit"].max())), low + 1)

    def place(value: float) -> float:
        return _LEFT + (math.log10(value) - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)

    bottom = _TOP + len(rows) * _STEP
    parts = []
    for power in range(low, high + 1):
        x = place(10.0**power)
        parts.append(element("line", x1=x, x2=x, y1=_TOP - 6, y2=bottom, class_="grid"))
        parts.append(text(f"{10.0**power:g}", x, _TOP - 12, class_="tick", text_anchor="middle"))
    for i, row in enumerate(rows.to_dict("records")):
        y, end = _TOP + i * _STEP, place(row["edit_ms_per_edit"])
        said = f"{row['title']}: {row['edit_ms_per_edit']:.3g} ms per edit, peak {row['host_peak_mib']:.0f} MiB"
        parts.append(text(row["title"], _LEFT - 10, y + 17, 36, class_="legend", text_anchor="end"))
        box = {"x": _LEFT, "y": y + 4, "width": max(end - _LEFT, 1.5), "height": _STEP - 8, "rx": 3}
        parts.append(element("rect", hint(said), class_="bar", **box))
        parts.append(text(_duration(row["edit_ms_per_edit"]), end + 8, y + 17, class_="tick"))
    return figure("".join(parts), _WIDTH, bottom + 6, f"Time per edit on {dataset}")


def _duration(milliseconds: float) -> str:
    return f"{milliseconds:.3g} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.3g} s"
