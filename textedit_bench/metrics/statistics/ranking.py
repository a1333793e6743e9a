"""Find the methods to mark as best: the best one, and all that are not significantly worse."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from textedit_bench.metrics.statistics.cells import Values, stack
from textedit_bench.metrics.statistics.permutation import FLIPS, holm, sign_flip_test


def best_and_tied(
    values: ArrayLike,
    *,
    higher_is_better: bool,
    alpha: float = 0.05,
    flips: int = FLIPS,
    seed: int = 0,
    fixed_prompts: bool = False,
) -> list[bool]:
    """Flag the best method and every method that is not significantly worse.

    The best has the best mean over its own cells. Every other method is compared with it on the cells that both have,
    by the paired sign-flip test, with Holm's correction over these comparisons. A method that shares too few cells
    with the best to be compared is not shown to be worse and counts as tied.

    Args:
        values: [methods, prompts, images], nan if a cell does not count.
        higher_is_better: direction of the metric.
        alpha: family-wise error of calling a method worse.
        flips: sign patterns per comparison.
        seed: of the patterns.
        fixed_prompts: see `sign_flip_test`.

    Returns:
        One flag per method; False for a method without any value.
    """
    cells = stack(values) * (1.0 if higher_is_better else -1.0)
    known = [bool(np.isfinite(method).any()) for method in cells]
    if not any(known):
        return [False] * len(cells)
    means = np.array([np.nanmean(m) if k else -np.inf for m, k in zip(cells, known, strict=True)])
    best = int(means.argmax())
    others = [m for m in range(len(cells)) if m != best and known[m]]
    steps = (cells[best] - cells[m] for m in others)
    adjusted = holm([sign_flip_test(step, flips=flips, seed=seed, fixed_prompts=fixed_prompts) for step in steps])
    tied = list(known)
    for m, p in zip(others, adjusted, strict=True):
        difference = cells[best] - cells[m]
        worse = np.isfinite(difference).any() and np.nanmean(difference) > 0.0
        tied[m] = not (worse and p <= alpha)
    return tied


def pairwise_tests(
    values: ArrayLike, *, flips: int = FLIPS, seed: int = 0, fixed_prompts: bool = False
) -> tuple[Values, NDArray[np.float64]]:
    """Compute mean paired differences and Holm-adjusted p-values of all pairs of methods.

    Args:
        values: [methods, prompts, images].
        flips: sign patterns per pair.
        seed: of the patterns.
        fixed_prompts: see `sign_flip_test`.

    Returns:
        Differences [M, M] (row minus column; nan without common cells) and p-values [M, M], adjusted over all
        M (M - 1) / 2 pairs; 1 on the diagonal.
    """
    cells = stack(values)
    n = len(cells)
    difference, p = np.zeros((n, n)), np.ones((n, n))
    pairs = [(a, b) for a in range(n) for b in range(a + 1, n)]
    raw = []
    for a, b in pairs:
        step = cells[a] - cells[b]
        mean = np.nanmean(step) if np.isfinite(step).any() else np.nan
        difference[a, b], difference[b, a] = mean, -mean
        raw.append(sign_flip_test(step, flips=flips, seed=seed, fixed_prompts=fixed_prompts))
    for (a, b), adjusted in zip(pairs, holm(raw), strict=True):
        p[a, b] = p[b, a] = adjusted
    return difference, p
