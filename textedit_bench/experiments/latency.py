"""Measure seconds of one edit, memory, and the cost of training, outside the bench's batches."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from textedit_bench.assets.locate import lacks_weights
from textedit_bench.bench.machine import Meter
from textedit_bench.devices import fixed_threads
from textedit_bench.editor import Latents
from textedit_bench.errors import UserError, kind_and_message
from textedit_bench.experiments.conditions import Conditions, device_name
from textedit_bench.experiments.experiment import Latency
from textedit_bench.experiments.intervals import mean_interval
from textedit_bench.experiments.measured import Heading, Measured
from textedit_bench.info import MethodInfo
from textedit_bench.registry import load_editor

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.editor import Editor

SECONDS, MEMORY, DEVICE_MEMORY = "edit_seconds", "host_peak_mib", "device_peak_mib"
HEADINGS = {SECONDS: Heading("One edit, seconds", False, 4), MEMORY: Heading("Peak memory, MiB", False, 0)}
DEVICE_HEADINGS = {DEVICE_MEMORY: Heading("Peak memory of the device, MiB", False, 0)}
"""Also measured where the device has a memory of its own."""
FIT_HEADING = "Training or preparation, hours"
WHOLE, PER_PROMPT, FIT = "whole training", "training, per prompt", "fit_hours"


def measure_latency(
    part: Latency, domain: Domain, methods: dict[str, MethodInfo | str], conditions: Conditions
) -> list[Measured]:
    """Measure mean seconds from a W+ code to the edited picture, one image at a time, and the training cost.

    Every repeat edits another image; one more comes first and does not count. Intervals are Student's.
    """
    rows: list[Measured] = []
    device = device_name(conditions.device, conditions.threads)
    headings = HEADINGS | (DEVICE_HEADINGS if domain.device.type == "cuda" else {})
    for name, info in methods.items():
        own = [
            Measured(
                dataset=domain.name,
                method=name,
                title=name if isinstance(info, str) else info.title,
                setting=part.edit_setting,
                metric=metric,
                heading=heading,
                device=device,
                state=info if isinstance(info, str) else "",
            )
            for metric, heading in headings.items()
        ]
        if isinstance(info, str):
            rows += own
            continue
        rows += _edit_rows(own, part, domain, info, conditions)
        if info.trains != "none" or name in part.fit:
            rows.append(_fit_row(part, domain, info, conditions.checkpoints))
    return rows


def _edit_rows(
    rows: list[Measured], part: Latency, domain: Domain, info: MethodInfo, conditions: Conditions
) -> list[Measured]:
    try:
        editor = load_editor(info.name, domain, **info.settings_for(domain.tier))
        if lacks_weights(editor):
            command = f"textedit-bench train --method {info.name} --dataset {domain.name}"
            return [row.lacking(f"not trained for {domain.name}; run: {command}") for row in rows]
        meter = Meter(domain.device)
        with fixed_threads(conditions.threads):
            latents = domain.invert(domain.photos("evaluation", part.repeats + 1))
            meter.start()
            seconds = list(_timed(editor, domain, latents))[1:]
    except Exception as error:  # one method's failure must not end the table
        return [row.lacking(f"failed: {kind_and_message(error)}") for row in rows]
    mean, low, high = mean_interval(seconds)
    host, device = (peak / 2**20 for peak in meter.peak_bytes())
    found: dict[str, dict[str, Any]] = {
        SECONDS: {"value": mean, "low": low, "high": high, "n": len(seconds)},
        MEMORY: {"value": host, "n": 1},
        DEVICE_MEMORY: {"value": device, "n": 1},
    }
    return [replace(row, **found[row.metric]) for row in rows]


def _timed(editor: Editor, domain: Domain, latents: Latents) -> Iterator[float]:
    """Measure seconds per image, including the first one."""
    prompt = next(iter(domain.prompts("evaluation").values())).without_truth
    for i in range(len(latents)):
        one = latents[i : i + 1]
        _wait(domain)
        began = time.perf_counter()
        edited = editor.edit(one, prompt, editor.info.strength_default)
        if isinstance(edited, Latents):
            with torch.no_grad():
                domain.generator.synthesize(edited, noise="const")
        _wait(domain)
        yield time.perf_counter() - began


def _wait(domain: Domain) -> None:
    if domain.device.type == "cuda":
        torch.cuda.synchronize(domain.device)


def _fit_row(part: Latency, domain: Domain, info: MethodInfo, checkpoints: Path) -> Measured:
    """Return hours of a method's newest training on this machine, else of its shipped weights.

    They are hours per prompt for a method that is trained per prompt.
    """
    setting, metric = part.fit.get(info.name, (PER_PROMPT if info.trains == "per-prompt" else WHOLE, FIT))
    base = Measured(
        dataset=domain.name,
        method=info.name,
        title=info.title,
        setting=setting,
        metric=metric,
        heading=Heading(FIT_HEADING, False, 3),
    )
    try:
        data = f"{domain.name}-{domain.tier}"
        found = newest_training(checkpoints, info, data) or shipped_training(info, data)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"checkpoints {checkpoints}: a record of {info.name} cannot be read ({error})") from error
    if found is None:
        return base.lacking(f"no training of it is kept in {checkpoints}, and its weights come without a record")
    cost, prompts = found
    share = max(1, prompts) if info.trains == "per-prompt" else 1
    hours = float(cost["seconds"]) / 3600 / share
    threads = int(cost.get("threads", 0))
    used = f"{threads} thread{'' if threads == 1 else 's'}" if threads else ""
    device = ", ".join(part for part in (str(cost.get("device", "")), used) if part)
    return Measured(**{**base.__dict__, "value": hours if math.isfinite(hours) else math.nan, "n": 1, "device": device})


def shipped_training(info: MethodInfo, data: str) -> tuple[dict[str, Any], int] | None:
    """Return the training cost of a method's shipped weights, from ``weights/costs.json`` of its package.

    The file maps ``<data set>-<tier>`` to the training's ``cost.json``, with the number of ``prompts`` if it is
    trained per prompt.
    """
    package = info.editor.partition(":")[0].rpartition(".")[0]
    path = files(package) / "weights" / "costs.json"
    costs = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return (costs[data], int(costs[data].get("prompts", 0))) if data in costs else None


def newest_training(checkpoints: Path, info: MethodInfo, data: str) -> tuple[dict[str, Any], int] | None:
    """Return ``cost.json`` of a method's last run on ``<data set>-<tier>``, and its number of prompts; None without.

    Methods of one package share their weights: a run of any of them counts for all.
    """
    package = info.editor.partition(":")[0].split(".")[-2:-1]
    names = {info.name, info.name.replace("-", "_"), *package}
    runs = [
        path.parent
        for path in checkpoints.glob("**/cost.json")
        if path.parent.name.startswith(f"{data}-") and names & set(path.parts)
    ]
    if not runs:
        return None
    folder = max(runs, key=lambda run: (run / "cost.json").stat().st_mtime_ns)
    cost = json.loads((folder / "cost.json").read_text(encoding="utf-8"))
    settings = folder / "settings.json"
    stored = json.loads(settings.read_text(encoding="utf-8")) if settings.is_file() else {}
    prompts = stored.get("prompts") or stored.get("phrases") or []
    return cost, len(prompts) if isinstance(prompts, list) else 0
