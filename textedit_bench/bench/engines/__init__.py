"""Compute cells: in this process, in processes of this machine, on Ray or on SLURM.

Every engine runs the same jobs of the same plan into the same store. A job is small and says only which cell is meant;
whoever runs it plans for itself from the request, so nothing but names and results travels.
"""

from textedit_bench.bench.engines.choice import ENGINES, cards_of, open_pool

__all__ = ["ENGINES", "cards_of", "open_pool"]
