"""Compute the leakage matrix: changed attributes by requested attributes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from textedit_bench.metrics.column import CHANGED, OK
from textedit_bench.prompt import Prompt
from textedit_bench.report.collect import ComparableCells
from textedit_bench.report.markdown import escape, table_lines

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
            asked = {cell.identity.prompt_id: _asked(cell.identity.prompt) for cell in row.cells}
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


def _asked(prompt: Prompt) -> str:
    """Join the names of the requested attributes."""
    return " + ".join(sorted(prompt.asked))


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
