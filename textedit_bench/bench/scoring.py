"""Stage two of a cell: stored pictures -> evaluation networks -> records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from textedit_bench.bench.cell import Cell
from textedit_bench.bench.inputs import InputShard, batch_features
from textedit_bench.bench.kept import save_arrays
from textedit_bench.bench.machine import Meter, environment, return_free_memory
from textedit_bench.bench.pictures import Pixels
from textedit_bench.bench.shards import pass_size
from textedit_bench.bench.store import ResultFolder, Writer
from textedit_bench.metrics.column import Column
from textedit_bench.metrics.images import ImageBatch

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.metrics.suite import Suite

RECORDS = "records.parquet"
COST = "cost.parquet"
FEATURES = "features.npz"
KEYS = ["dataset", "method", "prompt_id", "seed", "image", "strength", "metric"]


def protocols_of(suite: Suite) -> dict[str, dict[str, Any]]:
    """Return every metric's protocol as plain values, in the suite's order."""
    return {name: asdict(protocol) for name, protocol in suite.protocols.items()}


def score(
    domain: Domain, suite: Suite, shard: InputShard, cell: Cell, pixels: Sequence[Pixels], meter: Meter
) -> tuple[pd.DataFrame, np.ndarray | None]:
    """Score every edit of a shard with every metric.

    Args:
        pixels: 8-bit pictures [n, H, W, 3], one entry per strength of the cell.

    Returns:
        One row per image x strength x metric, and the set-metric features [strengths, n, d] (None if the domain has
        no network for them). Equal pictures are scored once.
    """
    measured: list[list[Mapping[str, Column]]] = [[] for _ in pixels]
    features: list[list[np.ndarray]] = [[] for _ in pixels]
    with_features = has_features(suite)
    size = pass_size(domain.resolution)
    for number, part in enumerate(shard.passes(size)):
        photos, inversions = (_batch(domain, pictures) for pictures in (part.photos, part.inversions))
        seen: list[tuple[Pixels, Mapping[str, Column], np.ndarray | None]] = []
        for position, pictures in enumerate(pixels):
            picture = pictures[number * size : (number + 1) * size]
            match = next((entry for entry in seen if np.array_equal(entry[0], picture)), None)
            if match is None:
                with meter.timed("score"):
                    edits = _batch(domain, picture)
                    columns = suite.score_batch(
                        photos=photos, inversions=inversions, edits=edits, prompt=cell.prompt, factors=part.factors
                    )
                    rows = batch_features(suite, edits, size) if with_features else None
                return_free_memory(domain.resolution)
                match = (picture, columns, rows)
                seen.append(match)
            measured[position].append(match[1])
            if match[2] is not None:
                features[position].append(match[2])
    columns_of = [{name: Column.joined([part[name] for part in parts]) for name in parts[0]} for parts in measured]
    stacked = np.stack([np.concatenate(parts) for parts in features]) if with_features else None
    return _records(cell, shard.ids, suite, columns_of), stacked


def has_features(suite: Suite) -> bool:
    """Whether the domain has set metrics."""
    return any(protocol.scope == "set" for protocol in suite.protocols.values())


def _batch(domain: Domain, pixels: Pixels) -> ImageBatch:
    return ImageBatch.of_pixels(pixels, domain.device)


def _records(cell: Cell, ids: Sequence[str], suite: Suite, measured: Sequence[Mapping[str, Column]]) -> pd.DataFrame:
    """Return one row per image x strength x metric, in the order of `KEYS`.

    The rows are created in that order: sorting a table of strings takes longer than creating it.

    Args:
        ids: image names, no two equal.
        measured: metric -> column of the images, one entry per strength of the cell; strengths ascend.
    """
    names = sorted(measured[0])
    images = sorted(range(len(ids)), key=lambda i: ids[i])
    shape = (len(images), len(cell.strengths), len(names))
    values = np.array([[columns[name].values for name in names] for columns in measured])
    states = np.array([[columns[name].states for name in names] for columns in measured], dtype=object)
    rows = int(np.prod(shape))

    def spread(entries: Sequence[Any], axis: int) -> np.ndarray:
        column = np.array(entries, dtype=object if isinstance(entries[0], str) else None)
        return np.broadcast_to(column.reshape([-1 if i == axis else 1 for i in range(3)]), shape).reshape(-1)

    return pd.DataFrame(
        {
            "dataset": [cell.dataset] * rows,
            "method": [cell.method] * rows,
            "prompt_id": [cell.prompt_id] * rows,
            "seed": np.full(rows, cell.seed),
            "image": spread([ids[i] for i in images], 0),
            "strength": spread([float(strength) for strength in cell.strengths], 1),
            "metric": spread(names, 2),
            "value": values[:, :, images].transpose(2, 0, 1).reshape(-1),
            "state": states[:, :, images].transpose(2, 0, 1).reshape(-1),
            "protocol": spread([suite.protocols[name].id for name in names], 2),
            "tier": [cell.tier] * rows,
        }
    )


def publish_scores(
    folder: ResultFolder,
    cell: Cell,
    protocols: Mapping[str, Mapping[str, Any]],
    records: pd.DataFrame,
    features: np.ndarray | None,
    cost: Sequence[Mapping[str, Any]],
) -> None:
    """Store records, costs and features [strengths, n, d] with their checksums in the manifest."""
    files: dict[str, Writer] = {
        RECORDS: lambda path: write_table(records, path),
        COST: lambda path: write_cost(path, cell, cost),
    }
    if features is not None:
        files[FEATURES] = lambda path: save_arrays(path, {"features": features})
    facts = {"protocols": protocols, "threads": torch.get_num_threads(), "environment": environment()}
    folder.publish("score", files, facts, listing=cell.listing())


def write_cost(path: Path, cell: Cell, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the costs of a cell's stages, one row each."""
    names = {"dataset": cell.dataset, "method": cell.method, "prompt_id": cell.prompt_id}
    write_table(pd.DataFrame([dict(row) for row in rows]).assign(**names), path)


def read_cost(path: Path) -> list[dict[str, Any]]:
    """Read the costs written by `write_cost`."""
    frame = read_table(path).drop(columns=["dataset", "method", "prompt_id"])
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def write_table(frame: pd.DataFrame, path: Any) -> None:
    """Write a parquet file whose bytes depend only on the rows."""
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, path, compression="zstd")


def read_table(path: Any) -> pd.DataFrame:
    """Read a table written by `write_table`."""
    return pq.ParquetFile(path).read().to_pandas()
