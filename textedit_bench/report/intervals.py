"""Compute the values of one block of rows with 95 % intervals and ties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textedit_bench.metrics.sets import Distance, Features, Sources
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
    figures = []
    for edits in features:
        if edits is None or len(np.unique(edits.sources)) < 3:
            figures.append(Figure())
            continue
        found = _jackknife(edits, reference, distance, paired=paired, floor=0.0 if nonnegative else None)
        figures.append(Figure(found.value, found.low, found.high, len(edits.rows), False, len(reference)))
    chosen = [i for i, ok in enumerate(ranked) if ok and features[i] is not None and figures[i].n]
    if len(chosen) < 2:
        return figures
    sign = 1.0 if higher_is_better else -1.0
    top = max(chosen, key=lambda i: sign * figures[i].point)
    for i in chosen:
        first, second = features[top], features[i]
        assert first is not None and second is not None
        if i == top or _not_different(first, second, reference, distance, paired=paired):
            figures[i] = Figure(**{**figures[i].__dict__, "best": True})
    return figures


def _not_different(
    first: EditFeatures, second: EditFeatures, reference: Features, distance: Distance, *, paired: bool
) -> bool:
    """Whether the 95 % jackknife interval of the difference contains zero; both leave out the same images."""
    width = first.rows.shape[-1]

    def difference(edits: Features, to: Features, sources: Sources | None, of_reference: Sources | None) -> float:
        one, other = (distance(part, to, sources, of_reference) for part in (edits[:, :width], edits[:, width:]))
        return one - other

    both = EditFeatures(np.concatenate([first.rows, second.rows], -1), first.sources)
    found = _jackknife(both, reference, difference, paired=paired, floor=None)
    return found.low <= 0.0 <= found.high


def _jackknife(
    edits: EditFeatures, reference: Features, distance: Distance, *, paired: bool, floor: float | None
) -> Jackknife:
    return delete_block_jackknife(
        edits.rows,
        edits.sources,
        reference,
        reference_blocks=np.arange(len(reference)) if paired else None,
        distance=distance,
        floor=floor,
    )
