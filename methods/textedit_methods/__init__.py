"""Built-in editing methods, one package each, found through entry points."""

from importlib.resources import files

import textedit_bench  # noqa: F401 - says how threads wait, before any method imports torch

ASSETS = files(__name__) / "assets.yaml"
"""What the authors of the methods published, as a list for ``textedit-bench assets``."""
