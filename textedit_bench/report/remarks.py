"""Write footnotes that depend on the rows: caveats of methods, and the agreement of the two oracles."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from textedit_bench.metrics.column import OK
from textedit_bench.report.rows import RowCells

AGREEMENT = "oracles_agree"


def row_remarks(rows: Sequence[RowCells]) -> list[str]:
    """Return remarks about one data set's rows, plain text."""
    titles: dict[str, list[str]] = {}
    for row in rows:
        titles.setdefault(row.cells[0].listing.caveat, []).append(row.title)
    remarks = [f"{'; '.join(dict.fromkeys(named))}: {caveat}" for caveat, named in titles.items() if caveat]
    return [*_agreement(rows), *remarks]


def _agreement(rows: Sequence[RowCells]) -> list[str]:
    records = pd.concat([row.records for row in rows], ignore_index=True)
    shares = records.loc[(records["metric"] == AGREEMENT) & (records["state"] == OK), "value"]
    if shares.empty:
        return []
    dataset = rows[0].cells[0].identity.dataset
    share = f"{100 * shares.mean():.1f}"
    return [f"{dataset}: the two oracles agree on {share} % of attributes over {len(shares)} edits (all rows)."]
