"""For authors of methods: the conformance suite, and toy data sets.

`check_editor` checks whether a method follows the rules of the benchmark, and explains each rule.
`write_toy_dataset` writes a tiny data set of random weights.
"""

from textedit_bench.testing.conformance import check_editor
from textedit_bench.testing.geometry import FULL_SIZE, TOYS, Geometry
from textedit_bench.testing.result import ConformanceError, Result
from textedit_bench.testing.toy import write_toy_dataset

__all__ = ["FULL_SIZE", "TOYS", "ConformanceError", "Geometry", "Result", "check_editor", "write_toy_dataset"]
