"""Replace placeholders in the examples of help texts by installed names, so that they can be pasted."""

from __future__ import annotations

import inspect
from functools import cache

from textedit_bench.errors import UserError
from textedit_bench.registry import dataset_names, method_info, method_names

FACES = "ffhq"


def with_names(text: str) -> str:
    """Replace ``METHOD`` and ``DATASET`` in the indented example lines by registered names.

    The method is the first one that edits, or, for ``GENERATOR``, that generates pictures from a text, without files
    that nobody can train; the data set is the faces, which fit the examples' prompts, if installed.
    """
    if "GENERATOR" in text:
        text = text.replace("GENERATOR", _first("generate"))
    method, dataset = _first("edit"), example_dataset()
    return "\n".join(
        line.replace("METHOD", method).replace("DATASET", dataset) if line.startswith("  textedit-bench") else line
        for line in inspect.cleandoc(text).splitlines()
    )


def example_dataset() -> str:
    """Return the data set that examples name: the faces if installed."""
    names = dataset_names() or ["DATASET"]
    return FACES if FACES in names else names[0]


@cache
def _first(task: str) -> str:
    for name in method_names():
        try:
            info = method_info(name)
        except UserError:  # a broken plugin is listed elsewhere
            continue
        if task in info.tasks and not info.miniature and not info.control:
            return name
    return "METHOD"
