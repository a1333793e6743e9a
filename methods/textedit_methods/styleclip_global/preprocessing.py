"""Making the relevance matrix of one generator, in pieces that survive being killed."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from textedit_bench.files import write_text
from textedit_bench.stylespace.resumable import resumable_sweep
from textedit_bench.stylespace.statistics import Sampling
from textedit_bench.training.run import run_folder
from textedit_methods.styleclip_global.relevance import Relevance

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

_RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # getrusage counts bytes there, KiB elsewhere


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
    facts = {
        "method": "styleclip-global",
        "settings": dict(settings),
        "networks": {role: domain.digest(role) for role in ("generator", "clip")},
    }
    place = run_folder(folder, f"styleclip-global/{domain.name}-{domain.tier}", facts)
    place.mkdir(parents=True, exist_ok=True)
    swept = resumable_sweep(
        domain.generator,
        domain.clip,
        sampling_of(settings),
        images=settings["images"],
        width=settings["width"],
        variant=settings["sweep"],
        state=place / "sweep.safetensors",
        resume=resume,
        minutes=minutes,
    )
    cost = {
        "seconds": round(swept.seconds, 2),
        "renders": 2 * settings["images"] * len(swept.statistics.mean),
        "rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT,
        "device": str(domain.device),
        "threads": torch.get_num_threads(),
    }
    write_text(place / "cost.json", json.dumps(cost, indent=2) + "\n")
    return Relevance(swept.rows, swept.statistics, facts)
