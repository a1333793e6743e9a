"""Choosing a method's knobs on the development split of images and prompts, never on what is reported."""

from textedit_bench.tuning.choose import TuneRequest, tune

__all__ = ["TuneRequest", "tune"]
