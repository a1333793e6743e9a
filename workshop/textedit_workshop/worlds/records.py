"""Read how weights were trained from the headers of their files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from textedit_bench.errors import UserError
from textedit_bench.models.storage import read_tensors

if TYPE_CHECKING:
    from textedit_bench.domain import Domain


def training_table(domain: Domain) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return header and rows: one row per stage of every existing network."""
    header = ("role", "file", "KB", "parameters", "command", "seed", "steps", "wall time")
    rows: list[tuple[str, ...]] = []
    for role in domain.tier_card.networks:
        try:
            path = domain.path(role)
        except UserError:
            continue
        tensors, metadata = read_tensors(path)
        record: Mapping[str, Any] = json.loads(metadata.get("record", "{}"))
        numbers = str(sum(t.numel() for t in tensors.values()))
        for stage in record.get("stages", [record]):
            seconds = stage.get("wall_time_s", stage.get("seconds"))
            time = "?" if seconds is None else f"{seconds / 60:.1f} min"
            command = f"`{stage['command']}`" if "command" in stage else "?"
            size = f"{path.stat().st_size / 1000:.0f}"
            steps, seed = str(stage.get("steps", "?")), str(stage.get("seed", "?"))
            rows.append((role, path.name, size, numbers, command, seed, steps, time))
    return header, rows
