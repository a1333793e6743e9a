"""The leakage matrix: which attributes change, by what was asked."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from textedit_bench.metrics.bounds import CHANGED
from textedit_bench.metrics.column import OK
from textedit_bench.prompt import Prompt
from textedit_bench.report.collect import Collected
from textedit_bench.report.markdown import escape, table_lines
from textedit_bench.report.rows import make_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("dataset", "method", "title", "control", "asked", "attribute", "rate", "n")
_PER_ROW = 3
_DARK = 0.5
"""Rates above it are cells so dark that their number is white."""


def leakage_frame(collected: Sequence[Collected]) -> pd.DataFrame:
    """One row per method, asked attribute and changed attribute, at the method's default strength.

    ``rate`` is the share of edits in which the oracle reads another value than in the inversion, ``n`` the edits behind
    it (those in which a perfect edit would still show the attribute). Where ``asked`` is ``attribute``, a high rate is
    success; everywhere else it is leakage. Prompts that ask for several attributes are rows of their own.
    """
    parts = []
    for part in collected:
        for row in make_rows(part.cells):
            asked = {cell.identity["prompt_id"]: _asked(cell.identity["prompt"]) for cell in row.cells}
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


def _asked(prompt: dict[str, str]) -> str:
    """Names of the asked attributes, joined."""
    return " + ".join(sorted(Prompt(prompt["target"], attribute=prompt.get("attribute")).asked))


def leakage_markdown(frame: pd.DataFrame) -> str:
    """The methods' matrices as Markdown, in percent, the asked attribute's own entry bold; controls are in the CSV."""
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


def draw_leakage(frame: pd.DataFrame) -> Figure | None:
    """Heat maps of one data set's methods, three in a row, controls left out; None without any."""
    from matplotlib.figure import Figure

    shown = frame[~frame["control"].astype(bool)]
    titles = list(dict.fromkeys(shown["title"]))
    if not titles:
        return None
    height = -(-len(titles) // _PER_ROW)
    width = min(len(titles), _PER_ROW)
    figure = Figure(figsize=(1.5 + 3.4 * width, 0.6 + 3.4 * height), dpi=150, layout="constrained")
    axes = figure.subplots(height, width, squeeze=False, sharex=True, sharey=True)
    for axis, title in itertools.zip_longest(axes.flat, titles):
        if title is None:
            axis.set_axis_off()
            continue
        wide = shown[shown["title"] == title].pivot(index="asked", columns="attribute", values="rate")
        wide = wide.reindex(index=sorted(set(shown["asked"])), columns=sorted(set(shown["attribute"])))
        image = axis.imshow(100 * wide.to_numpy(np.float64), vmin=0, vmax=100, cmap="magma_r", aspect="auto")
        _label_cells(axis, wide)
        axis.set_xticks(range(len(wide.columns)), [_words(name) for name in wide.columns], rotation=90, fontsize=7)
        axis.set_yticks(range(len(wide.index)), [_words(name) for name in wide.index], fontsize=7)
        axis.set_title(title.replace("$", r"\$"), fontsize=9)
    figure.supxlabel("changed", fontsize=9)
    figure.supylabel("asked", fontsize=9)
    figure.colorbar(image, ax=axes, label="changed, %", shrink=0.6)
    return figure


def _label_cells(axis: Axes, rates: pd.DataFrame) -> None:
    """The number in every cell, and a frame around what was asked."""
    from matplotlib.patches import Rectangle

    for i, asked in enumerate(rates.index):
        for j, attribute in enumerate(rates.columns):
            rate = rates.iloc[i, j]
            if pd.notna(rate):
                colour = "white" if rate > _DARK else "black"
                axis.text(j, i, f"{100 * rate:.0f}", ha="center", va="center", fontsize=6, color=colour)
            if attribute in str(asked).split(" + "):
                axis.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, fill=False, edgecolor="C0", linewidth=1.5))


def _words(name: str) -> str:
    return name.replace("_", " ").replace("$", r"\$")
