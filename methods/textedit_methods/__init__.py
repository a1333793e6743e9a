"""The built-in editing methods and controls, one package each, found through entry points."""

from importlib.resources import files

ASSETS = files(__name__) / "assets.yaml"
"""What the authors of the methods published, as a list for ``textedit-bench assets``."""
