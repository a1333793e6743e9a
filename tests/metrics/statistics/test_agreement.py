"""Krippendorff's alpha against his own example, and against its definition by pairs."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textedit_bench.metrics.statistics.choices import krippendorff_alpha

EXAMPLE = ("1233214 12...", "123322412 5.3", ".3332342 251.", "12332441 251.")
"""Four observers of twelve units, from Krippendorff, Computing Krippendorff's alpha-reliability (2011)."""


def _counts(observers):
    units = zip(*(line.replace(" ", "") for line in observers), strict=True)
    return [[unit.count(c) for c in "12345"] for unit in units]


def test_the_published_example():
    assert krippendorff_alpha(_counts(EXAMPLE)) == pytest.approx(0.743, abs=5e-4)


@given(st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=1, max_size=8))
def test_it_is_one_less_observed_by_expected_disagreement_of_pairs(table):
    units = [[c for c, n in enumerate(row) for _ in range(n)] for row in table if sum(row) >= 2]
    values = [value for unit in units for value in unit]
    pairs = list(permutations(values, 2))
    expected = np.mean([a != b for a, b in pairs]) if pairs else 0.0
    found = krippendorff_alpha(table)
    if expected == 0.0:
        assert np.isnan(found)
        return
    observed = sum(sum(a != b for a, b in permutations(unit, 2)) / (len(unit) - 1) for unit in units) / len(values)
    assert found == pytest.approx(1.0 - observed / expected)


def test_bad_counts_are_refused():
    for counts in ([1, 2], [[1, -1]]):
        with pytest.raises(ValueError, match="counts must have shape"):
            krippendorff_alpha(counts)
