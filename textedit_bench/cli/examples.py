"""Examples in help texts that can be pasted: placeholders become names that are installed."""

from __future__ import annotations

import inspect

from textedit_bench.errors import UserError
from textedit_bench.registry import dataset_names, method_info, method_names


def with_names(text: str) -> str:
    """``METHOD`` and ``DATASET`` in the indented example lines become the first registered name of each.

    ``GENERATOR`` becomes the first method that generates pictures from a text.
    """
    if "GENERATOR" in text:
        text = text.replace("GENERATOR", _first_generator())
    method, dataset = (method_names() or ["METHOD"])[0], (dataset_names() or ["DATASET"])[0]
    return "\n".join(
        line.replace("METHOD", method).replace("DATASET", dataset) if line.startswith("  textedit-bench") else line
        for line in inspect.cleandoc(text).splitlines()
    )


def _first_generator() -> str:
    for name in method_names():
        try:
            if "generate" in method_info(name).tasks:
                return name
        except UserError:  # a broken plugin is listed elsewhere
            continue
    return "METHOD"
