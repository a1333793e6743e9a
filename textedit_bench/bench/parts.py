"""Store the shards of a cell in folders below the cell's, and merge them when all are complete."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from textedit_bench.bench.cell import Cell, Manifest
from textedit_bench.bench.kept import DIGESTS, EDITS, PICTURES
from textedit_bench.bench.pictures import strength_name
from textedit_bench.bench.scoring import COST, FEATURES, RECORDS, read_cost, write_cost
from textedit_bench.bench.shards import Shard, join_array, join_codes, join_pictures, join_records
from textedit_bench.bench.store import ResultFolder, Writer

PARTS = "shards"
"""Folder of the shards below a cell's."""


def part_folder(folder: ResultFolder, shard: Shard, pictures: str | None) -> ResultFolder:
    """Return the folder of one shard of a cell.

    Args:
        folder: the cell's.
        shard: which images.
        pictures: which pictures of its edits are kept; None for scores of edits that the cell already has.
    """
    identity = {"cell": folder.digest, "start": shard.start, "stop": shard.stop, "pictures": pictures}
    return ResultFolder(folder.path / PARTS, identity)


def remove_parts(folder: ResultFolder) -> None:
    """Remove the shards of a cell that is stored as a whole."""
    shutil.rmtree(folder.path / PARTS, ignore_errors=True)


def join_parts(folder: ResultFolder, cell: Cell, parts: Sequence[ResultFolder], *, new_edits: bool) -> None:
    """Merge the shards of a cell; the bytes are those of a cell that was computed at once.

    Args:
        folder: the cell's.
        cell: the cell.
        parts: its shards in order, edited and scored.
        new_edits: whether the shards have edits; False if the cell has them and the shards are new scores.

    Raises:
        ValueError: the shards are of different spaces.
    """
    manifests = [_manifest(part) for part in parts]
    inferred = [manifest.infer for manifest in manifests]
    ids = [name for known in inferred for name in known.ids]
    if new_edits:
        spaces = {known.space for known in inferred}
        if len(spaces) > 1:
            raise ValueError(f"{cell.method} gave edits in spaces {', '.join(sorted(spaces))}")
        facts = inferred[0].facts()
        facts |= {"ids": ids, "cost": add_costs([known.cost for known in inferred])}
        writers: dict[str, Writer] = {
            EDITS: lambda path: join_codes(path, _files(parts, EDITS)),
            PICTURES: lambda path: join_pictures(
                path, _files(parts, PICTURES), [strength_name(strength) for strength in cell.strengths]
            ),
            DIGESTS: lambda path: join_array(path, "digests", _files(parts, DIGESTS)),
        }
        there = {name: write for name, write in writers.items() if _files(parts, name)}
        folder.publish("infer", there, facts, listing=cell.listing())
    scored = manifests[0].score
    assert scored is not None
    rows = len(cell.strengths) * sum(protocol["scope"] == "image" for protocol in scored.protocols.values())
    before = None if new_edits else folder.manifest()
    earlier = [] if before is None else [before.infer.cost]
    cost = add_costs([*earlier, *(read_cost(part.file(COST)) for part in parts)])
    files: dict[str, Writer] = {
        RECORDS: lambda path: join_records(path, _files(parts, RECORDS), ids, rows),
        COST: lambda path: write_cost(path, cell, cost),
    }
    if features := _files(parts, FEATURES):
        files[FEATURES] = lambda path: join_array(path, "features", features)
    folder.publish("score", files, scored.facts(), listing=cell.listing())


def add_costs(parts: Sequence[Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Sum the costs of all shards: seconds and images are added, memory peaks are maximised."""
    stages: dict[str, dict[str, Any]] = {}
    for row in (row for part in parts for row in part):
        known = stages.setdefault(row["stage"], {**row, "images": 0, "seconds": 0.0})
        known["images"] += row["images"]
        known["seconds"] += row["seconds"]
        for peak in ("host_peak_bytes", "device_peak_bytes"):
            known[peak] = max(known[peak], row[peak])
    return list(stages.values())


def _manifest(part: ResultFolder) -> Manifest:
    manifest = part.manifest()
    if manifest is None or manifest.score is None:
        raise OSError(f"{part.path}: the shard is gone or damaged; the same command computes it again")
    return manifest


def _files(parts: Sequence[ResultFolder], name: str) -> list[Path]:
    return [part.file(name) for part in parts if part.file(name).exists()]
