"""Leakage: how often attributes changed that were not requested, as a matrix and as heat maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from textedit_bench.metrics.column import CHANGED, OK
from textedit_bench.report.collect import ComparableCells
from textedit_bench.report.figures import canvas
from textedit_bench.report.figures.canvas import COLOURS
from textedit_bench.report.formats import escape, table_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


COLUMNS = ("dataset", "method", "title", "control", "asked", "attribute", "rate", "n")


def leakage_frame(collected: Sequence[ComparableCells]) -> pd.DataFrame:
    """Return one row per method, requested attribute and changed attribute, at the method's default strength.

    ``rate`` is the share of edits in which the oracle detects another value than in the inversion, ``n`` the number of
    edits (in which a perfect edit would still show the attribute). If ``asked`` equals ``attribute``, a high rate is
    success; otherwise it is leakage. Prompts for several attributes have separate rows.
    """
    parts = []
    for part in collected:
        for row in part.rows:
            asked = {cell.identity.prompt_id: cell.identity.prompt.asked_names for cell in row.cells}
            records = row.records
            chosen = records[records["metric"].str.startswith(CHANGED) & (records["state"] == OK)]
            if chosen.empty:
                continue
            chosen = chosen.assign(
                asked=chosen["prompt_id"].map(asked), attribute=chosen["metric"].str.removeprefix(CHANGED)
            )
            facts = {"dataset": part.dataset, "method": row.method, "title": row.title, "control": row.control}
            parts.append(chosen[["asked", "attribute", "value"]].assign(**facts))
    if not parts:
        return pd.DataFrame(columns=list(COLUMNS))
    everything = pd.concat(parts, ignore_index=True)
    keys = ["dataset", "method", "title", "control", "asked", "attribute"]
    grouped = everything.groupby(keys, sort=True)["value"].agg(["mean", "size"]).reset_index()
    return grouped.rename(columns={"mean": "rate", "size": "n"})[list(COLUMNS)]


def largest_leak(frame: pd.DataFrame) -> str:
    """Describe the largest leakage of any method in a data set's rows; empty if there is none."""
    elsewhere = [row["attribute"] not in row["asked"].split(" + ") for row in frame.to_dict("records")]
    others = frame[np.array(elsewhere, bool) & ~frame["control"].to_numpy(bool)]
    if others.empty or not others["rate"].max() > 0:
        return ""
    top = others.loc[others["rate"].idxmax()]
    return (
        f"{top['dataset']}; largest leakage: {top['title']} changes {_plain(top['attribute'])} in "
        f"{100 * top['rate']:.0f} % of edits for {_plain(top['asked'])}"
    )


def _plain(name: str) -> str:
    return name.replace("_", " ")


def leakage_markdown(frame: pd.DataFrame) -> str:
    """Render the methods' matrices in percent as Markdown, requested attributes in bold; controls are in the CSV."""
    frame = frame[~frame["control"].astype(bool)]
    lines = ["# Leakage: asked attribute (rows) against changed attribute (columns)", ""]
    for (dataset, title), rows in frame.groupby(["dataset", "title"], sort=False):
        wide = rows.pivot(index="asked", columns="attribute", values="rate")
        cells = [
            [escape(str(asked)), *(_cell(rate, name in str(asked).split(" + ")) for name, rate in rates.items())]
            for asked, rates in wide.iterrows()
        ]
        lines += [f"**{escape(dataset)}, {escape(title)}**", ""]
        lines += [*table_lines(["Asked", *map(escape, wide.columns)], cells), ""]
    lines.append(
        "Percent of edits whose attribute the oracle reads differently than in the inversion, where a perfect edit "
        "would still show it; bold: what was asked for. At each method's default strength."
    )
    return "\n".join(lines) + "\n"


def _cell(rate: float, asked: bool) -> str:
    if pd.isna(rate):
        return "-"
    return f"**{100 * rate:.0f}**" if asked else f"{100 * rate:.0f}"


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
        frame: the result of `leakage_frame`.
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
