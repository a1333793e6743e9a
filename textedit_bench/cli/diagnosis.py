"""Collect the information that `textedit-bench doctor` shows."""

from __future__ import annotations

import os
import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

from textedit_bench import __version__
from textedit_bench.cli.diagnosis_cells import cells


def diagnose() -> dict[str, dict[str, Any]]:
    """Collect information for a bug report: section -> name -> value; imports torch."""
    return {
        "system": _system(),
        "packages": _packages(),
        "tiers": _tiers(),
        "methods": _methods(),
        "cells": cells(),
        "broken": _broken(),
    }


def _system() -> dict[str, Any]:
    import torch

    facts: dict[str, Any] = {
        "textedit-bench": __version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "torch threads": torch.get_num_threads(),
        "cuda": torch.version.cuda if torch.cuda.is_available() else "not available",
    }
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        facts[f"cuda:{index}"] = f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB"
    return facts


def _packages() -> dict[str, str]:
    """Return the installed versions of the direct requirements."""
    found = {}
    for requirement in requires("textedit-bench") or ():
        if "extra ==" in requirement:
            continue
        name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return found


def _tiers() -> dict[str, str]:
    """Map data set and tier to the missing files (content, origin, destination), or to the error in its card."""
    from textedit_bench.assets.locate import missing_files, spoilt_file
    from textedit_bench.registry import list_datasets

    found = {}
    for card in list_datasets():
        for tier in card.tiers:
            lacks, spoilt = missing_files(card, tier), spoilt_file(card, tier)
            state = "lacks " + "\n    ".join(lacks) if lacks else f"wrong {spoilt}" if spoilt else "complete"
            found[f"{card.name} {tier}"] = state
    return found


def _methods() -> dict[str, str]:
    """Map each method to whether its class can be imported."""
    from textedit_bench.errors import UserError
    from textedit_bench.registry import list_methods, load_method

    found = {}
    for info in list_methods():
        try:
            load_method(info.name)
            found[info.name] = "ready" if not info.datasets else f"ready, for {', '.join(info.datasets)}"
        except UserError as error:
            found[info.name] = str(error)
    return found


def _broken() -> dict[str, str]:
    from textedit_bench.registry import broken_datasets, broken_methods

    plugins = {f"method {plugin.name}": plugin.reason for plugin in broken_methods()}
    return plugins | {f"dataset {plugin.name}": plugin.reason for plugin in broken_datasets()}
