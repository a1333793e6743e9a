"""Compute cells: in this process, in processes of this machine, on Ray or on SLURM.

Every engine runs the same jobs of the same plan and writes to the same store. A job only names its cell; each worker
derives the plan from the request, so only names and results are transferred.
"""

from textedit_bench.bench.engines.choice import ENGINES, cards_of, open_pool

__all__ = ["ENGINES", "cards_of", "open_pool"]
