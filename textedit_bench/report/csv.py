"""Render tables as CSV: full precision, one header line, safe to open in a spreadsheet."""

from __future__ import annotations

import pandas as pd

from textedit_bench.report.table import Table

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render_csv(table: Table) -> str:
    r"""Render a table as CSV with ``\n`` line ends; the same table gives the same bytes."""
    return frame_csv(table.frame.assign(tier=table.tier))


def frame_csv(frame: pd.DataFrame) -> str:
    """Render a frame as CSV; texts that a spreadsheet would run as a formula get a leading apostrophe."""
    texts = [name for name in frame.columns if frame[name].map(lambda value: isinstance(value, str)).any()]
    safe = frame.assign(**{name: frame[name].map(_safe) for name in texts})
    return safe.to_csv(index=False, lineterminator="\n", float_format="%.9g")


def _safe(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
