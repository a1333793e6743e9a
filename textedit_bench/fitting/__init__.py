"""Run any Lightning training of this project: stopped, resumed, its checkpoints written whole."""

from textedit_bench.fitting.checkpoints import WholeCheckpoints
from textedit_bench.fitting.run import fit

__all__ = ["WholeCheckpoints", "fit"]
