"""Choosing a method's knobs on the development split of images and prompts, never on what is reported."""

from textedit_bench.tuning.tune import TuneRequest, tune

__all__ = ["TuneRequest", "tune"]
