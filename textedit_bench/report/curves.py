"""Compute effect-preservation curves over all strengths."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from textedit_bench.metrics.column import OK
from textedit_bench.report.rows import RowCells


def curve(row: RowCells, metrics: Sequence[str]) -> pd.DataFrame:
    """Compute means of metrics per strength over all values whose state is ok; index: strength, ascending."""
    records = pd.concat([cell.records() for cell in row.cells], ignore_index=True)
    chosen = records[records["metric"].isin(metrics) & (records["state"] == OK)]
    wide = chosen.groupby(["strength", "metric"], sort=True)["value"].mean().unstack("metric")
    return wide.reindex(columns=list(metrics))
