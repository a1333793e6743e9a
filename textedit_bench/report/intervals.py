"""Compute the values of one block of rows with 95 % intervals and ties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textedit_bench.metrics.sets import Distance
from textedit_bench.metrics.statistics import Jackknife, best_and_tied, delete_block_jackknife, two_way_bootstrap
from textedit_bench.report.rows import EditFeatures

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Figure:
    """A value with its uncertainty.

    Attributes:
        point: the value; nan if nothing was measured.
        low, high: its 95 % interval; nan if unknown.
        n: number of measured values.
        best: the best of its block, or not significantly worse.
        reference_n: images of the reference set, for set metrics.
    """

    point: float = np.nan
    low: float = np.nan
    high: float = np.nan
    n: int = 0
    best: bool = False
    reference_n: int = 0


def image_figures(
    values: Values,
    ranked: Sequence[bool],
    *,
    higher_is_better: bool,
    bounds: tuple[float, float] | None,
    seed: int,
    fixed_prompts: bool = False,
) -> list[Figure]:
    """Compute means of per-image values with a two-way bootstrap over prompts and images, paired across rows.

    Args:
        values: [rows, prompts, images], nan if there is no value.
        ranked: which rows may be marked as best.
        higher_is_better: direction of the metric.
        bounds: range of the metric.
        seed: of the draws.
        fixed_prompts: whether prompts are fixed, so that only images are drawn.
    """
    # Only rates get the interval of agreeing cells: a cosine of exactly 1 in every cell is certain.
    rate = bounds == (0.0, 1.0)
    seed %= 2**32
    found = two_way_bootstrap(values, seed=seed, bounds=bounds if rate else None, fixed_prompts=fixed_prompts)
    best = np.zeros(len(values), bool)
    chosen = [i for i, ok in enumerate(ranked) if ok and np.isfinite(values[i]).any()]
    if len(chosen) > 1:
        best[chosen] = best_and_tied(
            values[chosen], higher_is_better=higher_is_better, seed=seed, fixed_prompts=fixed_prompts
        )
    figures = []
    for i, spread in enumerate(found.spreads):
        known = bool(np.isfinite(spread.error))
        low, high = (float(found.low[i]), float(found.high[i])) if known else (np.nan, np.nan)
        if bounds is not None and known:
            low, high = max(low, bounds[0]), min(high, bounds[1])
        figures.append(Figure(float(found.mean[i]), low, high, spread.cells, bool(best[i])))
    return figures


def set_figures(
    features: Sequence[EditFeatures | None],
    ranked: Sequence[bool],
    reference: NDArray[np.floating],
    distance: Distance,
    *,
    higher_is_better: bool,
    nonnegative: bool,
    paired: bool,
) -> list[Figure]:
    """Compute a set metric per row with a delete-block jackknife over source images.

    Args:
        features: of each row's edits, None if there is nothing to measure.
        ranked: which rows may be marked as best.
        reference: [M, d].
        distance: of the edits to the reference, see `textedit_bench.metrics.sets.Distance`.
        higher_is_better: direction of the metric.
        nonnegative: whether the metric cannot be below zero.
        paired: whether reference row i belongs to image i and is left out with it.
    """
    found = [
        None
        if edits is None or len(np.unique(edits.sources)) < 3
        else delete_block_jackknife(
            edits.rows,
            edits.sources,
            reference,
            reference_blocks=np.arange(len(reference)) if paired else None,
            distance=distance,
            floor=0.0 if nonnegative else None,
        )
        for edits in features
    ]
    sign = 1.0 if higher_is_better else -1.0
    chosen = {i: each for i, each in enumerate(found) if ranked[i] and each is not None}
    top = max(chosen.values(), key=lambda each: sign * each.value) if len(chosen) > 1 else None
    figures = []
    for i, (edits, each) in enumerate(zip(features, found, strict=True)):
        if edits is None or each is None:
            figures.append(Figure())
            continue
        best = top is not None and i in chosen and (each is top or _may_be_equal(top.minus(each)))
        figures.append(Figure(each.value, each.low, each.high, len(edits.rows), best, len(reference)))
    return figures


def _may_be_equal(difference: Jackknife) -> bool:
    return difference.low <= 0.0 <= difference.high
