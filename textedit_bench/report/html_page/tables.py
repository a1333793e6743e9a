"""Prepare the comparison table for the page's template: blocks whose entries keep the values for sorting."""

from __future__ import annotations

from typing import Any

import pandas as pd

from textedit_bench.report.layout import blocks, headings
from textedit_bench.report.table import Table


def table_blocks(table: Table, dataset: str) -> list[dict[str, Any]]:
    """Return a data set's blocks; entries without a value have an empty sort key."""
    best = ["low", "", *("high" if spec.higher_is_better else "low" for spec in table.columns)]
    heads = list(zip(headings(table), best, strict=True))
    names = [spec.name for spec in table.columns]
    groups = table.frame.groupby(["dataset", "prompt_set"], sort=False)
    return [
        {
            "title": block.title,
            "heads": heads,
            "lines": [
                (line, ["" if pd.isna(row[name]) else repr(float(row[name])) for name in names])
                for line, row in zip(block.lines, rows.to_dict("records"), strict=True)
            ],
        }
        for block, ((name_of, _), rows) in zip(blocks(table), groups, strict=True)
        if name_of == dataset
    ]
