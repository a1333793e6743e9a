"""Validate arrays of values over prompts and images."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]


def stack(values: ArrayLike) -> Values:
    """Convert values to float64 [methods, prompts, images]; [prompts, images] becomes one method.

    Raises:
        ValueError: another number of axes, an empty axis, or an infinite value.
    """
    array = np.array(values, dtype=np.float64)
    if array.ndim == 2:
        array = array[None]
    if array.ndim != 3 or 0 in array.shape:
        raise ValueError(f"values must have shape [methods, prompts, images], none of them empty; got {array.shape}")
    if np.isinf(array).any():
        raise ValueError("values hold infinity; give such cells a state and nan")
    return array


def grid(values: ArrayLike) -> Values:
    """Convert the values of one method to float64 [prompts, images]; prompts and images without a value are dropped."""
    array = np.array(values, dtype=np.float64)
    if array.ndim != 2:
        raise ValueError(f"values of one method must have shape [prompts, images], got {array.shape}")
    if np.isinf(array).any():
        raise ValueError("values hold infinity; give such cells a state and nan")
    there = np.isfinite(array)
    return array[there.any(1)][:, there.any(0)]
