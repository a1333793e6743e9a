"""Tabulate time and memory of the methods, separately from the comparison table because they vary between runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from textedit_bench.controls.cards import copied
from textedit_bench.report.collect import ComparableCells
from textedit_bench.report.figures import canvas
from textedit_bench.report.figures.canvas import COLOURS, Look
from textedit_bench.report.formats import escape, table_lines

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_STAGES = ("edit", "synthesise", "score")
_TIMES = ("Per prompt, s", "Edit, ms", "Synthesis, ms", "Judges, ms", "Total, s")
_HEADINGS = ("Method", "Data set", "Edits", *_TIMES, "Memory, MiB", "Device, MiB")


def cost_frame(collected: Sequence[ComparableCells]) -> pd.DataFrame:
    """Return one row per method, settings and data set.

    Columns: seconds per prompt before any edit, milliseconds per edited image and stage, peak memory.
    """
    parts = [
        cell.cost().assign(
            title=cell.listing.title if row.matched else row.title,
            matched=f"{cell.listing.matched_title}{row.ending}" if row.matched else "",
            copied=copied(row.method) if row.matched else "",
        )
        for part in collected
        for row in part.rows
        for cell in row.cells
    ]
    if not parts:
        return pd.DataFrame()
    rows = []
    everything = pd.concat(parts, ignore_index=True)
    keys = ["dataset", "method", "matched", "copied", "title"]
    for (dataset, method, matched, what, title), group in everything.groupby(keys, sort=True):
        row: dict[str, object] = {"dataset": dataset, "method": method, "title": title, "matched": matched}
        row["copied"] = what
        row["edits"] = int(group.loc[group["stage"] == "edit", "images"].sum())
        prepared = group.loc[group["stage"] == "prepare", "seconds"]
        row["prepare_s_per_prompt"] = prepared.mean() if len(prepared) else float("nan")
        for stage in _STAGES:
            chosen = group[group["stage"] == stage]
            images = chosen["images"].sum()
            row[f"{stage}_ms_per_edit"] = 1000 * chosen["seconds"].sum() / images if images else float("nan")
        row["seconds"] = group["seconds"].sum()
        row["host_peak_mib"] = group["host_peak_bytes"].max() / 2**20
        row["device_peak_mib"] = group["device_peak_bytes"].max() / 2**20
        rows.append(row)
    return pd.DataFrame(rows)


def milliseconds(value: float) -> str:
    """Format a time with three digits; never in another unit, so that times compare at a glance."""
    return f"{value:,.0f} ms" if 1000 <= value < 1e6 else f"{value:.3g} ms"


def fastest(frame: pd.DataFrame, methods: Iterable[str]) -> str:
    """Name the fastest and the slowest of these methods in a data set's rows; empty if none was timed."""
    timed = frame["title"].isin(list(methods)) & (frame["edit_ms_per_edit"] > 0)
    rows = frame[timed].sort_values("edit_ms_per_edit").to_dict("records")
    said = [f"{row['title']}, {milliseconds(row['edit_ms_per_edit'])}" for row in rows]
    return f"{rows[0]['dataset']}; fastest: {said[0]}; slowest: {said[-1]}" if said else ""


def cost_markdown(frame: pd.DataFrame) -> str:
    """Render the cost table as Markdown."""
    cells = []
    for _, row in frame.iterrows():
        title = f"{row['title']}, {row['copied']} of {row['matched']}" if row["matched"] else row["title"]
        times = [f"{row[f'{stage}_ms_per_edit']:.2f}" for stage in _STAGES]
        prepared = "" if pd.isna(row["prepare_s_per_prompt"]) else f"{row['prepare_s_per_prompt']:.2f}"
        sums = [f"{row['seconds']:.1f}", f"{row['host_peak_mib']:.0f}", f"{row['device_peak_mib']:.0f}"]
        cells.append([escape(title), escape(row["dataset"]), row["edits"], prepared, *times, *sums])
    note = (
        "Per prompt: what a method makes once for a prompt before it edits any image (a boundary; a mapper, where "
        "there was none yet). The other times are per edited picture, on the machine and with the threads that the "
        "manifests record; pictures that are equal are measured once. Memory: peak."
    )
    return "\n".join(table_lines(_HEADINGS, cells, "ll" + 8 * "r")) + f"\n\n{note}\n"


def draw_cost(frame: pd.DataFrame, looks: Mapping[str, Look], *, width: float = 580) -> Figure | None:
    """Draw one bar per method, controls last: time of the edit, without synthesis and scoring; None without any.

    Args:
        frame: a data set's rows of `cost_frame`, in the order of the bars; controls that
            copy a method are excluded.
        looks: of the methods; other bars are grey.
        width: pixels.
    """
    rows = frame[(frame["matched"] == "") & (frame["edit_ms_per_edit"] > 0)]
    if rows.empty:
        return None
    rows = rows.sort_values("title", key=lambda titles: ~titles.isin(list(looks)), kind="stable")
    titles = list(rows["title"])
    longest = 34 if width > 400 else 20
    left = canvas.names_width(titles, longest)
    figure = canvas.blank(width, 20.0 * len(rows) + 46)
    axis = canvas.place(figure, left, 4, width - left - 76, 20.0 * len(rows))
    least = rows["edit_ms_per_edit"].min() / 3  # bars on a logarithmic axis need an explicit start
    for y, row in enumerate(rows.to_dict("records")):
        took, title = row["edit_ms_per_edit"], row["title"]
        colour = looks[title].colour if title in looks else COLOURS["soft"]
        (bar,) = axis.barh(y, took - least, left=least, height=0.62, color=colour)
        words = f"{title}: {milliseconds(took)} per edit, peak {row['host_peak_mib']:.0f} MiB"
        canvas.tell(bar, words, method=title)
        axis.annotate(
            milliseconds(took), (took, y), (4, 0), va="center", textcoords="offset points", fontsize=canvas.SMALL,
            color=COLOURS["soft"], annotation_clip=False,
        )  # fmt: skip
    axis.set_xscale("log")
    axis.set_xlim(least, rows["edit_ms_per_edit"].max())
    axis.minorticks_off()
    axis.xaxis.set_major_formatter("{x:g}")
    canvas.caption(axis, "milliseconds per edit")
    canvas.name_rows(axis, titles, longest)
    return figure
