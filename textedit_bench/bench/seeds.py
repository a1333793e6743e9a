"""Seeds from named axes; see `textedit_bench.seeds`."""

from textedit_bench.seeds import seed_of

__all__ = ["seed_of"]
