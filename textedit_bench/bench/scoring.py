"""The second stage of a cell: stored pictures -> judges -> records."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from textedit_bench.bench.cell import Cell
from textedit_bench.bench.environment import environment
from textedit_bench.bench.inputs import Inputs, picture_features, save_arrays
from textedit_bench.bench.measure import Meter
from textedit_bench.bench.pictures import Pixels, to_images
from textedit_bench.bench.store import ResultFolder

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.metrics.suite import Suite

RECORDS = "records.parquet"
COST = "cost.parquet"
FEATURES = "features.npz"
KEYS = ["dataset", "method", "prompt_id", "seed", "image", "strength", "metric"]


def protocols_of(suite: Suite) -> dict[str, dict[str, Any]]:
    """Every metric's protocol as plain values, in the suite's order."""
    return {name: asdict(protocol) for name, protocol in suite.protocols.items()}


def score(
    domain: Domain, suite: Suite, inputs: Inputs, cell: Cell, pixels: list[Pixels], meter: Meter
) -> tuple[pd.DataFrame, np.ndarray | None]:
    """Measure every edit of a cell with every metric.

    Args:
        pixels: 8-bit pictures [N, H, W, 3], one entry per strength of the cell.

    Returns:
        One row per image x strength x metric, and the set-metric features [strengths, N, d] (None where the domain has
        no network for them). Pictures that are equal are measured once.
    """
    photos = to_images(inputs.photos, domain.device)
    inversions = to_images(inputs.inversions, domain.device)
    frames, features = [], []
    seen: list[tuple[Pixels, pd.DataFrame, np.ndarray | None]] = []
    with_features = has_features(suite)
    for strength, picture in zip(cell.strengths, pixels, strict=True):
        match = next((entry for entry in seen if np.array_equal(entry[0], picture)), None)
        if match is None:
            with meter.timed("score"):
                columns = suite.score_batch(
                    photos=photos,
                    inversions=inversions,
                    edits=to_images(picture, domain.device),
                    prompt=cell.prompt,
                    factors=inputs.factors,
                )
                rows = picture_features(suite, domain, picture) if with_features else None
            match = (picture, _frame(columns, inputs.ids, suite), rows)
            seen.append(match)
        frames.append(match[1].assign(strength=float(strength)))
        if match[2] is not None:
            features.append(match[2])
    records = pd.concat(frames, ignore_index=True)
    records = records.assign(
        tier=cell.tier, dataset=cell.dataset, method=cell.method, prompt_id=cell.prompt_id, seed=cell.seed
    )
    order = [*KEYS, "value", "state", "protocol", "tier"]
    return records[order].sort_values(KEYS, kind="stable", ignore_index=True), np.stack(features) if features else None


def has_features(suite: Suite) -> bool:
    """Whether the domain has set metrics."""
    return any(protocol.scope == "set" for protocol in suite.protocols.values())


def _frame(columns: dict[str, Any], ids: tuple[str, ...], suite: Suite) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "image": list(ids),
                "metric": name,
                "value": column.values,
                "state": column.states,
                "protocol": suite.protocols[name].id,
            }
        )
        for name, column in columns.items()
    ]
    return pd.concat(parts, ignore_index=True)


def publish_scores(
    folder: ResultFolder,
    cell: Cell,
    suite: Suite,
    records: pd.DataFrame,
    features: np.ndarray | None,
    cost: pd.DataFrame,
) -> None:
    """Store records, costs and features and vouch for them in the manifest."""
    files = {
        RECORDS: lambda path: write_table(records, path),
        COST: lambda path: write_table(cost, path),
    }
    if features is not None:
        files[FEATURES] = lambda path: save_arrays(path, {"features": features})
    facts = {"protocols": protocols_of(suite), "threads": torch.get_num_threads(), "environment": environment()}
    folder.publish("score", files, facts, listing=cell.listing())


def write_table(frame: pd.DataFrame, path: Any) -> None:
    """Write a parquet file whose bytes depend on the rows alone."""
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, path, compression="zstd")


def read_table(path: Any) -> pd.DataFrame:
    """Read what `write_table` wrote."""
    return pq.read_table(path).to_pandas()
