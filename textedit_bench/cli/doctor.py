"""``textedit-bench doctor``: show what is installed and what can run on this machine."""

from __future__ import annotations

import os
import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from typing import TYPE_CHECKING, Any

import typer

from textedit_bench import __version__
from textedit_bench.cli.options import Json
from textedit_bench.cli.output import print_json
from textedit_bench.errors import UserError

if TYPE_CHECKING:
    from textedit_bench.data.card import DatasetCard
    from textedit_bench.info import MethodInfo


READY = "ready"


def cells() -> dict[str, dict[str, str]]:
    """Map ``"<data set> <tier>"`` -> method -> ``ready``, or what is missing and how to get it; imports torch."""
    from textedit_bench.registry import list_datasets, list_methods

    methods = [info for info in list_methods() if not info.control]
    return {
        f"{card.name} {tier}": {info.name: _cell(info, card, tier) for info in methods}
        for card in list_datasets()
        for tier in card.tiers
    }


def _cell(info: MethodInfo, card: DatasetCard, tier: str) -> str:
    from textedit_bench.registry import missing_file

    if info.datasets and card.name not in info.datasets:
        return f"serves {', '.join(info.datasets)} only"
    lacks = missing_file(card, tier)
    if lacks is None and (absent := card.tier(tier).lacks()):
        lacks = f"{absent} (not on the card {card.path})"
    if lacks is not None:
        return f"the data set lacks {lacks}"
    return _weights(info, card, tier)


def _weights(info: MethodInfo, card: DatasetCard, tier: str) -> str:
    """Report the state of a method's weights; a method trained per prompt is trained by the first edit."""
    from textedit_bench.domain import Domain
    from textedit_bench.registry import new_editor

    try:
        editor = new_editor(info.name, Domain(card, tier))
        path, released, lack = editor.weights_path(), editor.released_weights(), editor.lacks()
    except UserError as error:
        return str(error)
    except Exception as error:  # a third-party class may raise anything
        return f"cannot be constructed ({type(error).__name__}: {error})"
    if lack is not None:
        return lack
    if info.trains != "per-dataset" or released is not None or (path is not None and path.is_file()):
        return READY
    train = f"textedit-bench train --method {info.name} --dataset {card.name} --tier {tier}"
    return f"not trained; expected at {path}; run: {train}"


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


def doctor(json: Json = False) -> None:
    """Show versions, the device, and which method can run on which data set and tier; exit 1 if a plugin is broken.

    For missing files, the output says where to get them.

    \b
    Examples:
      textedit-bench doctor
      textedit-bench doctor --json
    """
    found = diagnose()
    if json:
        print_json(found)
    else:
        for title, facts in found.items():
            typer.echo(f"{title}:")
            for name, value in facts.items():
                for line in _lines(value):
                    typer.echo(f"  {name}: {line}")
            if not facts:
                typer.echo("  none")
    raise typer.Exit(1 if found["broken"] else 0)


def _lines(value: Any) -> list[str]:
    """Format a value; a mapping from methods becomes one line per distinct value."""
    if not isinstance(value, dict):
        return [str(value)]
    alike: dict[str, list[str]] = {}
    for name, fact in value.items():
        alike.setdefault(fact, []).append(name)
    return [f"{fact}: {', '.join(names)}" for fact, names in alike.items()]
