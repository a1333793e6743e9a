"""Analyse choices of people: strengths, and agreement of raters.

Strengths by Bradley and Terry (1952) for pairs, and by Luce (1959) for the best of several; agreement by Krippendorff's
alpha (2004) for nominal data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

from textedit_bench.metrics.statistics.components import Values

RIDGE = 0.1
"""Weight of s^2 / 2: keeps the strength of a method that always wins finite and the mean at 0; weaker than one
answer."""


@dataclass(frozen=True)
class Strengths:
    """Strengths of M options on a logarithmic scale, with mean 0.

    Attributes:
        value: [M]; two options a and b are preferred as exp(a) to exp(b).
        low, high: [M], their 95 % interval; nan with one rater or one comparison.
    """

    value: Values
    low: Values
    high: Values


def choice_strengths(
    options: ArrayLike, chosen: ArrayLike, raters: ArrayLike, comparisons: ArrayLike, *, level: float = 0.95
) -> Strengths:
    """Estimate strengths from n answers.

    Args:
        options: the options of each answer, as numbers from 0, [n, k] with k at least 2.
        chosen: position of the chosen one in its row, [n].
        raters: rater of each answer, any labels, [n].
        comparisons: comparison of each answer, any labels, [n].
        level: coverage.

    Raises:
        ValueError: shapes that do not fit together, or no answer.
    """
    shown, picked = np.asarray(options, np.intp), np.asarray(chosen, np.intp)
    if shown.ndim != 2 or shown.shape[1] < 2 or not len(shown) or picked.shape != shown.shape[:1]:
        raise ValueError(f"choices among two or more are needed, got {shown.shape} and {picked.shape}")
    count, rows = int(shown.max()) + 1, np.arange(len(shown))
    there = np.zeros((len(shown), count))
    np.put_along_axis(there, shown, 1.0, axis=1)
    hit = np.zeros_like(there)
    hit[rows, shown[rows, picked]] = 1.0

    def shares(s: Values) -> Values:
        found: Values = special.softmax(np.where(there > 0, s, -np.inf), axis=1)
        return found

    def loss(s: Values) -> float:
        return float((special.logsumexp(np.where(there > 0, s, -np.inf), axis=1) - hit @ s).sum() + RIDGE * s @ s / 2)

    def slope(s: Values) -> Values:
        found: Values = (shares(s) - hit).sum(0) + RIDGE * s
        return found

    def bend(s: Values) -> Values:
        p = shares(s)
        found: Values = np.diag(p.sum(0) + RIDGE) - p.T @ p
        return found

    value = optimize.minimize(loss, np.zeros(count), jac=slope, hess=bend, method="trust-exact", tol=1e-9).x
    residuals, inverse = hit - shares(value), np.linalg.inv(bend(value))
    both = [np.unique(np.asarray(labels), return_inverse=True)[1] for labels in (raters, comparisons)]
    spreads = [_clustered(residuals, of) for of in (*both, both[0] * (both[1].max() + 1) + both[1])]
    variances = [np.diag(inverse @ spread @ inverse) for spread in (*spreads[:2], spreads[0] + spreads[1] - spreads[2])]
    fewest = min(len(np.unique(of)) for of in both)
    margin = stats.t.ppf((1.0 + level) / 2.0, fewest - 1) * np.sqrt(np.max(variances, axis=0)) if fewest > 1 else np.nan
    return Strengths(value, value - margin, value + margin)


def _clustered(residuals: Values, of: NDArray[np.intp]) -> Values:
    """Sum over clusters of the outer product of the residual sums, corrected for few clusters."""
    sums = np.zeros((of.max() + 1, residuals.shape[1]))
    np.add.at(sums, of, residuals)
    clusters = len(np.unique(of))
    found: Values = sums.T @ sums * (clusters / max(clusters - 1, 1))
    return found


def krippendorff_alpha(counts: ArrayLike) -> float:
    """Compute alpha: 1 all agree, 0 as by chance, below 0 worse than chance; nan if nothing can be compared.

    Args:
        counts: [units, categories], number of raters who put a unit into a category; units with fewer than two raters
            are excluded.

    Raises:
        ValueError: another number of axes, or a negative count.
    """
    table = np.asarray(counts, np.float64)
    if table.ndim != 2 or (table < 0).any():
        raise ValueError(f"counts must have shape [units, categories] and not be negative, got {table.shape}")
    table = table[table.sum(1) >= 2]
    per_unit, total = table.sum(1), table.sum()
    observed = ((per_unit**2 - (table**2).sum(1)) / (per_unit - 1)).sum()
    expected = total**2 - (table.sum(0) ** 2).sum()
    return float(1.0 - (total - 1.0) * observed / expected) if expected > 0.0 else float("nan")
