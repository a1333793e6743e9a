"""Making the relevance matrix of one generator, in pieces that survive being killed."""

from __future__ import annotations

import json
import logging
import resource
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file

from textedit_bench.models.storage import write_tensors
from textedit_bench.training.run import run_folder
from textedit_methods.styleclip_global.channels import editable
from textedit_methods.styleclip_global.relevance import Relevance
from textedit_methods.styleclip_global.statistics import Sampling, measure, sample_styles
from textedit_methods.styleclip_global.sweep import Progress, sweep

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

log = logging.getLogger(__name__)
_SAVE_EVERY_S = 60.0
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # getrusage counts bytes there, KiB elsewhere


class OutOfTime(Exception):
    """The sweep was stopped at its deadline; what is done is kept."""


def sampling_of(settings: Mapping[str, Any]) -> Sampling:
    """How the statistics' samples are drawn."""
    return Sampling(
        samples=settings["samples"], truncation=settings["truncation"], truncated_rows=settings["truncated_rows"]
    )


def make_relevance(
    domain: Domain, settings: Mapping[str, Any], folder: Path, *, resume: bool = True, minutes: float = 0.0
) -> Relevance:
    """Statistics and sweep of a domain's generator.

    Args:
        settings: the card's training settings.
        folder: parent of the run's folder: ``sweep.safetensors`` keeps what is done, ``cost.json`` says what it took.
        resume: go on from there.
        minutes: stop after that long; 0 means never.

    Raises:
        OutOfTime: the deadline came first; the same call goes on.
    """
    began = time.monotonic()
    facts = {
        "method": "styleclip-global",
        "settings": dict(settings),
        "networks": {role: domain.digest(role) for role in ("generator", "clip")},
    }
    place = run_folder(folder, f"styleclip-global/{domain.name}-{domain.tier}", facts)
    state = place / "sweep.safetensors"
    generator, sampling = domain.generator, sampling_of(settings)
    statistics = measure(generator, editable(generator), sampling)
    progress, spent = _read(state) if resume and state.is_file() else (None, 0.0)
    last = began
    count = len(generator.style_layout)

    def seconds() -> float:
        return spent + time.monotonic() - began

    def checkpoint(now: Progress) -> None:
        nonlocal last
        late = bool(minutes) and time.monotonic() - began > 60 * minutes
        if late or time.monotonic() - last > _SAVE_EVERY_S:
            last = time.monotonic()
            _write(state, now, seconds())
            log.info(
                "styleclip-global: style layer %d of %d, image %d of %d, %.0f s",
                now.layer + 1, count, now.image, settings["images"], seconds(),
            )  # fmt: skip
        if late:
            raise OutOfTime(str(place))

    rows = sweep(
        generator,
        domain.clip,
        sample_styles(generator, sampling, 0, settings["images"]),
        statistics,
        width=settings["width"],
        variant=settings["sweep"],
        progress=progress,
        checkpoint=checkpoint,
    )
    place.mkdir(parents=True, exist_ok=True)
    cost = {
        "seconds": round(seconds(), 2),
        "renders": 2 * settings["images"] * len(statistics.mean),
        "rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT,
        "device": str(domain.device),
        "threads": torch.get_num_threads(),
    }
    (place / "cost.json").write_text(json.dumps(cost, indent=2) + "\n", encoding="utf-8")
    return Relevance(rows, statistics, facts)


def _write(path: Path, progress: Progress, seconds: float) -> None:
    header = {"layer": str(progress.layer), "image": str(progress.image), "row": str(progress.row)}
    header["seconds"] = f"{seconds:.3f}"
    write_tensors({"sums": progress.sums, **{k: torch.tensor(float(v)) for k, v in header.items()}}, path, header)


def _read(path: Path) -> tuple[Progress, float]:
    tensors = load_file(path)
    row = int(tensors.get("row", 0))  # older files were written between images
    progress = Progress(tensors["sums"], int(tensors["layer"]), int(tensors["image"]), row)
    return progress, float(tensors["seconds"])
