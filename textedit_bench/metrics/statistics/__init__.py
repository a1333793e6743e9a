"""Intervals and tests for two kinds of values: means over (prompt, image) cells, and distances between sets.

Values come as arrays [methods, prompts, images] with nan in every cell whose state is not ``ok``.
"""

from textedit_bench.metrics.statistics.bootstrap import Intervals, interval, two_way_bootstrap
from textedit_bench.metrics.statistics.components import POWER, Spread, spread_of, two_way_spread
from textedit_bench.metrics.statistics.jackknife import Jackknife, delete_block_jackknife, jackknife_error
from textedit_bench.metrics.statistics.permutation import best_and_tied, holm, pairwise_tests, sign_flip_test

__all__ = [
    "POWER",
    "Intervals",
    "Jackknife",
    "Spread",
    "best_and_tied",
    "delete_block_jackknife",
    "holm",
    "interval",
    "jackknife_error",
    "pairwise_tests",
    "sign_flip_test",
    "spread_of",
    "two_way_bootstrap",
    "two_way_spread",
]
