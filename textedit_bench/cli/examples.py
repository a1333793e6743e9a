"""Examples in help texts that can be pasted: placeholders become names that are installed."""

from __future__ import annotations

import inspect

from textedit_bench.errors import UserError
from textedit_bench.registry import dataset_names, method_info, method_names

FACES = "ffhq"


def with_names(text: str) -> str:
    """``METHOD`` and ``DATASET`` in the indented example lines become registered names.

    The method is the first; the data set is the faces, which the examples' words are about, where they are installed.
    ``GENERATOR`` becomes the first method that generates pictures from a text.
    """
    if "GENERATOR" in text:
        text = text.replace("GENERATOR", _first_generator())
    method, dataset = (method_names() or ["METHOD"])[0], _dataset()
    return "\n".join(
        line.replace("METHOD", method).replace("DATASET", dataset) if line.startswith("  textedit-bench") else line
        for line in inspect.cleandoc(text).splitlines()
    )


def _dataset() -> str:
    names = dataset_names() or ["DATASET"]
    return FACES if FACES in names else names[0]


def _first_generator() -> str:
    for name in method_names():
        try:
            if "generate" in method_info(name).tasks:
                return name
        except UserError:  # a broken plugin is listed elsewhere
            continue
    return "METHOD"
