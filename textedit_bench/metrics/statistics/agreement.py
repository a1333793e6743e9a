"""Compute Krippendorff's alpha (2004) for nominal data: agreement of raters with missing answers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


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
