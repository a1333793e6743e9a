"""Run a bench: a request becomes cells, cells become stored edits, edits become records.

`textedit_bench.bench.plan` decides what there is to do, `textedit_bench.bench.run` does it. Importing this package
imports no torch.
"""
