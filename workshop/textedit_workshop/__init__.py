"""Tools for developing the benchmark, not shipped with it; the benchmark never imports this package."""

from pathlib import Path

import textedit_bench  # noqa: F401 - says how threads wait, before anything imports torch

ROOT = Path(__file__).resolve().parents[2]
"""The clone of the repository."""
