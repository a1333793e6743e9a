"""Replace placeholders in the examples of help texts by installed names, so that they can be pasted."""

from __future__ import annotations

import inspect

from textedit_bench.errors import UserError
from textedit_bench.registry import dataset_names, method_info, method_names

FACES = "ffhq"


def with_names(text: str) -> str:
    """Replace ``METHOD`` and ``DATASET`` in the indented example lines by registered names.

    The method is the first one; the data set is the faces, which fit the examples' prompts, if installed.
    ``GENERATOR`` is replaced by the first method that generates pictures from a text.
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
