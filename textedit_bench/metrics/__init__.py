"""Metrics, their protocols, and the statistics for intervals and tests."""

from textedit_bench.metrics.column import Column, Protocol
from textedit_bench.metrics.suite import Suite

__all__ = ["Column", "Protocol", "Suite"]
