"""Choose a method's settings on the development split of images and prompts, never on evaluation data."""

from textedit_bench.tuning.choose import TuneRequest, tune

__all__ = ["TuneRequest", "tune"]
