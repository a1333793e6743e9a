"""The comparison table as sortable HTML tables, one per block."""

from __future__ import annotations

import pandas as pd

from textedit_bench.report.columns import ColumnSpec
from textedit_bench.report.layout import Block, Entry, blocks
from textedit_bench.report.markup import escape
from textedit_bench.report.picture.svg import element
from textedit_bench.report.table import Table


def table_sections(table: Table) -> str:
    """Every block with values that a script can sort by; cells without a value sort last."""
    groups = [rows for _, rows in table.frame.groupby(["dataset", "prompt_set"], sort=False)]
    pairs = zip(blocks(table), groups, strict=True)
    return "\n".join(_section(block, rows, table.columns) for block, rows in pairs)


def _section(block: Block, rows: pd.DataFrame, columns: tuple[ColumnSpec, ...]) -> str:
    heads = [element("th", "Method", scope="col", data_best="low"), element("th", "Strength", scope="col")]
    heads += [
        element("th", escape(f"{c.title} {c.arrow}"), scope="col", data_best="high" if c.higher_is_better else "low")
        for c in columns
    ]
    lines = []
    for line, (_, row) in zip(block.lines, rows.iterrows(), strict=True):
        cells = [element("th", escape(line.title), scope="row"), element("td", escape(line.strength))]
        for entry, column in zip(line.entries, columns, strict=True):
            value = row[column.name]
            cells.append(element("td", _entry(entry), data_value="" if pd.isna(value) else repr(float(value))))
        kind = {"class_": "control"} if line.control else {}
        lines.append(element("tr", "".join(cells), **kind))
    body = element("thead", element("tr", "".join(heads))) + element("tbody", "\n".join(lines))
    whole = element("table", element("caption", escape(block.title)) + body, class_="sortable")
    return element("div", whole, class_="scroll", tabindex=0, role="region", aria_label=block.title)


def _entry(entry: Entry) -> str:
    text = element("strong", escape(entry.text)) if entry.bold else escape(entry.text)
    return text + (element("small", escape(entry.interval)) if entry.interval else "")
