"""Benchmark for text-driven image editing with StyleGAN.

The names exported here are the contract that methods, data sets and outside checks rely on; they are resolved lazily so
that ``import textedit_bench`` imports neither torch nor Lightning.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from textedit_bench.waiting import choose_waiting

if TYPE_CHECKING:
    from textedit_bench.data.card import DatasetCard
    from textedit_bench.domain import Domain, load_domain
    from textedit_bench.editor import Editor, Latents
    from textedit_bench.info import MethodInfo
    from textedit_bench.prompt import Prompt
    from textedit_bench.registry import list_datasets, list_methods, load_dataset, load_editor, load_method

__version__ = "0.1.0"

choose_waiting()  # every command, worker, training and notebook executes this before torch is imported

_HOMES = {
    "DatasetCard": "textedit_bench.data.card",
    "Domain": "textedit_bench.domain",
    "Editor": "textedit_bench.editor",
    "Latents": "textedit_bench.editor",
    "MethodInfo": "textedit_bench.info",
    "Prompt": "textedit_bench.prompt",
    "list_datasets": "textedit_bench.registry",
    "list_methods": "textedit_bench.registry",
    "load_dataset": "textedit_bench.registry",
    "load_domain": "textedit_bench.domain",
    "load_editor": "textedit_bench.registry",
    "load_method": "textedit_bench.registry",
}

__all__ = [
    "DatasetCard",
    "Domain",
    "Editor",
    "Latents",
    "MethodInfo",
    "Prompt",
    "__version__",
    "list_datasets",
    "list_methods",
    "load_dataset",
    "load_domain",
    "load_editor",
    "load_method",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
