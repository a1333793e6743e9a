"""Which method beats which: paired tests of all pairs, per metric, corrected for their number."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import pandas as pd

from textedit_bench.metrics.statistics import pairwise_tests
from textedit_bench.report.collect import Collected
from textedit_bench.report.columns import ColumnSpec
from textedit_bench.report.ranks import shared_grids
from textedit_bench.seeds import seed_of

COLUMNS = ("dataset", "metric", "title", "other", "better_by", "p")
ALPHA = 0.05
"""Share of data sets and metrics in which any pair at all may wrongly be called different."""


def can_tell_apart(methods: int, photos: int) -> bool:
    """Whether any pair can be called different: flipping the sign of few photos reaches every difference by chance."""
    return methods * (methods - 1) / 2 * 2.0 ** (1 - photos) <= ALPHA


def paired_tests_frame(collected: Sequence[Collected], columns: Sequence[ColumnSpec]) -> pd.DataFrame:
    """One row per data set, per-image metric and ordered pair of methods, over the prompts that all of them have.

    ``better_by`` is the mean difference, positive where ``title`` is better than ``other``; ``p`` is of the paired
    sign-flip test, adjusted over all pairs by Holm's method. Controls are not compared.
    """
    entries = []
    for part in collected:
        rows = [row for row in part.rows if not row.control]
        titles = sorted({row.title for row in rows})
        for spec in columns:
            grids = shared_grids([(part, rows)], titles, spec.name) if spec.scope == "image" else []
            if len(titles) < 2 or not grids or not np.isfinite(grids[0]).any():
                continue
            difference, p = pairwise_tests(grids[0], seed=seed_of(pairs=part.dataset, metric=spec.name) % 2**32)
            sign = 1.0 if spec.higher_is_better else -1.0
            entries += [
                (part.dataset, spec.name, titles[a], titles[b], sign * difference[a, b], p[a, b])
                for a, b in permutations(range(len(titles)), 2)
            ]
    return pd.DataFrame(entries, columns=list(COLUMNS))
