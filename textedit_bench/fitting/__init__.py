"""Run Lightning trainings: interruption, resumption, atomic checkpoints."""

from textedit_bench.fitting.checkpoints import WholeCheckpoints
from textedit_bench.fitting.run import fit

__all__ = ["WholeCheckpoints", "fit"]
