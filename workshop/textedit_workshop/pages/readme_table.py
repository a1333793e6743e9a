"""Write the tables of the README and of the results page, from the committed reference table.

``python -m textedit_workshop.pages.readme_table [--write]``
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from textedit_bench.report.formats import escape, table_lines
from textedit_bench.report.rows import TRAINED, ColumnSpec
from textedit_workshop import ROOT

README = ROOT / "README.md"
RESULTS_PAGE = ROOT / "docs" / "pages" / "results.md"
TABLE = ROOT / "results" / "reference" / "mini" / "table.csv"
BEGIN, END = "<!-- table:begin -->", "<!-- table:end -->"

COLUMNS = (
    ColumnSpec("success", "Success, %", True, 1, False, "image"),
    ColumnSpec("preservation", "Preservation, %", True, 1, False, "image"),
    ColumnSpec("clip_score", "CLIP score", True, 1, False, "image"),
    ColumnSpec("identity", "Identity", True, 2, False, "image"),
    ColumnSpec("lpips", "LPIPS-mini", False, 2, False, "image"),
    ColumnSpec("kid_real", "KID x1000 to real", False, 1, False, "set"),
)
"""Those of the results page; everything else is in the full table."""
_SMALL = ("success", "preservation", "identity")


def small_table(path: Path = TABLE, dataset: str = "ffhq") -> str:
    """Return one row per method, with 95 % intervals: success on trained and unseen prompts, then preservation.

    Raises:
        FileNotFoundError: the table has not been made.
        KeyError: it lacks a column.
    """
    frame = _without_followers(pd.read_csv(path))
    own = frame[frame["dataset"] == dataset]
    success, preservation, identity = (next(c for c in COLUMNS if c.name == name) for name in _SMALL)
    columns = [success, success, preservation, identity]
    titles = ["Success, trained prompts, %", "Success, unseen prompts, %", preservation.title, identity.title]
    heads = ["Method", *(f"{title} {column.arrow}" for title, column in zip(titles, columns, strict=True))]
    cells = []
    for _, rows in own.groupby("title", sort=False):
        by_set = {TRAINED if row["prompt_set"] == TRAINED else "": row for row in rows.to_dict("records")}
        seen, unseen = by_set[TRAINED], by_set.get("")
        shown = zip((seen, unseen, seen, seen), columns, strict=True)
        cells.append([_name(seen), *("-" if row is None else _entry(row, c) for row, c in shown)])
    return "\n".join(table_lines(heads, cells))


def results_tables(path: Path = TABLE, dataset: str = "ffhq") -> str:
    """Return a table per prompt set of one data set, with 95 % intervals, and an overview line per method.

    Raises:
        FileNotFoundError: the table has not been made.
        KeyError: it lacks a column.
    """
    frame = _without_followers(pd.read_csv(path))
    parts = []
    for prompt_set, rows in frame[frame["dataset"] == dataset].groupby("prompt_set", sort=False):
        words = "trained prompts" if prompt_set == TRAINED else "unseen prompts (in no method's training list)"
        title = f"{dataset}, {words}: {rows['prompts'].max()} x {rows['images'].iloc[0]} images"
        heads = ["Method", *(f"{column.title} {column.arrow}" for column in COLUMNS)]
        cells = [[_name(row), *(_entry(row, c, bold=True) for c in COLUMNS)] for row in rows.to_dict("records")]
        lines = [f"**{escape(title)}**", "", *table_lines(heads, cells)]
        parts.append("\n".join(lines))
    if frame["dataset"].nunique() > 1:
        parts.append(_overview(frame[~frame["control"].astype(bool)]))
    return "\n\n".join(parts)


def _without_followers(frame: pd.DataFrame) -> pd.DataFrame:
    """Exclude controls that follow each method; their rows are only in the full table."""
    return frame[~(frame["control"] & frame.duplicated(["dataset", "prompt_set", "method"], keep=False))]


def _overview(frame: pd.DataFrame) -> str:
    """Return success and preservation per method and data set, trained prompts, then success on unseen ones."""
    datasets = list(dict.fromkeys(frame["dataset"]))
    lines = [
        "**All data sets: success / preservation for trained prompts, success for unseen ones, %**",
        "",
    ]
    cells = []
    for title, rows in frame.groupby("title", sort=False):
        texts = []
        for name in datasets:
            own = rows[rows["dataset"] == name].set_index("prompt_set")
            seen = own.loc[TRAINED] if TRAINED in own.index else None
            text = "-" if seen is None else f"{100 * seen['success']:.0f} / {100 * seen['preservation']:.0f}"
            rest = own.drop(index=TRAINED, errors="ignore")["success"]
            texts.append(f"{text}, {100 * rest.iloc[0]:.0f}" if len(rest) else text)
        cells.append([escape(str(title)), *texts])
    return "\n".join([*lines, *table_lines(["Method", *datasets], cells)])


def filled(page: str, table: str) -> str:
    """Return the page with the table between its markers.

    Raises:
        ValueError: a marker is missing.
    """
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"the page needs the markers {BEGIN} and {END}, in this order")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


PAGES = {README: small_table, RESULTS_PAGE: results_tables}


def _name(row: dict[str, Any]) -> str:
    name = escape(row["title"])
    return f"*{name}*" if row["control"] else name


def _entry(row: dict[str, Any], column: ColumnSpec, bold: bool = False) -> str:
    point, low, high = (row[f"{column.name}{end}"] for end in ("", "_low", "_high"))
    if pd.isna(point):
        return "-"
    text = f"**{column.text(point)}**" if bold and row[f"{column.name}_best"] else column.text(point)
    return text if pd.isna(low) or pd.isna(high) else f"{text} [{column.text(low)}, {column.text(high)}]"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write them into the pages instead of printing them")
    write = parser.parse_args().write
    for page, table in PAGES.items():
        if write:
            page.write_text(filled(page.read_text(encoding="utf-8"), table()), encoding="utf-8")
        else:
            print(table(), end="\n\n")
