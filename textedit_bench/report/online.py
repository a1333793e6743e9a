"""Log a bench to Weights & Biases: request, tables, curves and picture sheets."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from textedit_bench.bench.request import BenchRequest
from textedit_bench.bench.store import Store
from textedit_bench.errors import UserError, kind_and_message
from textedit_bench.metrics.column import AXES
from textedit_bench.report.collect import ComparableCells
from textedit_bench.report.table_provenance import collect_stored

PROJECT = "textedit-bench"
FOLDER = "wandb"
"""Folder below the results in which offline runs are kept until ``wandb sync`` uploads them."""


def require_logger(request: BenchRequest) -> None:
    """Check, before any computation, that a logger is installed.

    Raises:
        UserError: the package is not installed.
    """
    if request.logger == "none":
        return
    try:
        import wandb  # noqa: F401
    except ImportError as error:
        raise UserError("logger wandb: the package is missing; install it with: pip install wandb") from error


def try_to_log(
    request: BenchRequest, store: Store, tiers: Sequence[str], written: Sequence[Path], task: str = "edit"
) -> tuple[str, ...]:
    """Log a finished bench if its request asks for it; return a message for the user.

    All results are already stored, so an error here is only reported in one line.
    """
    if request.logger == "none":
        return ()
    try:
        return (log_bench(store, tiers, {"task": task, **request.to_json()}, written),)
    except Exception as error:  # errors of wandb, of the network, of the disk
        reason = kind_and_message(error)
        return (f"not logged to Weights & Biases ({reason}); the results are stored and the tables are written",)


def log_bench(store: Store, tiers: Sequence[str], config: Mapping[str, Any], written: Sequence[Path]) -> str:
    """Log a finished bench; offline unless ``WANDB_MODE=online`` is set.

    Args:
        store: the results.
        tiers: those whose curves are logged.
        config: the request as plain values.
        written: tables (``.csv``) and pictures (``.png``) of the bench.

    Returns:
        A message for the user: where the run is stored and how to upload it.
    """
    import wandb

    online = os.environ.get("WANDB_MODE") == "online"
    folder = store.root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    run = wandb.init(
        project=PROJECT,
        name="-".join(["bench", *config.get("methods", ())])[:120],
        job_type="bench",
        dir=str(store.root),
        mode="online" if online else "offline",
        config=dict(config),
        settings=wandb.Settings(silent=True, x_disable_stats=True, disable_git=True, disable_code=True),
    )
    try:
        content: dict[str, Any] = {}
        for path in written:
            name = path.relative_to(store.root).with_suffix("").as_posix()
            if path.suffix == ".csv" and path.is_file():
                content[name] = wandb.Table(dataframe=_plain(pd.read_csv(path)))
            elif path.suffix == ".png" and path.is_file():
                content[name] = wandb.Image(str(path))
        for tier in tiers:
            points = list(_points(collect_stored(store, tier)))
            if points:
                content[f"{tier}/curves"] = wandb.Table(dataframe=pd.DataFrame(points))
        run.log(content)
        where = Path(run.dir).parent
    finally:
        run.finish()
    return "logged to Weights & Biases" if online else f"logged offline; send it with: wandb sync {where}"


def _points(collected: Sequence[ComparableCells]) -> Iterator[dict[str, Any]]:
    """Return effect and preservation of every row at every strength."""
    for part in collected:
        for row in part.rows:
            for axes in AXES:
                for strength, values in row.curve(axes).iterrows():
                    facts: dict[str, Any] = {"dataset": part.dataset, "method": row.title, "prompts": row.prompt_set}
                    facts |= {"strength": float(str(strength)), "effect_metric": axes[0], "kept_metric": axes[1]}
                    yield {**facts, "effect": float(values[axes[0]]), "kept": float(values[axes[1]])}


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Convert columns to one type each, as the service's tables require."""
    return frame.assign(**{name: frame[name].astype(str) for name in frame.columns if frame[name].dtype == object})
