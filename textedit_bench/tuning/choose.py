"""Run the candidates on the development split and select the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from textedit_bench.bench.progress import Reporter, State, make_reporter
from textedit_bench.bench.request import (
    STANDARD_IMAGES,
    STANDARD_SEED,
    STANDARD_STRENGTHS,
    BenchRequest,
)
from textedit_bench.bench.run import BenchRun, run_cells
from textedit_bench.bench.scoring import RECORDS, read_table
from textedit_bench.bench.store import Store, Tuned, write_tuned
from textedit_bench.devices import STANDARD_THREADS
from textedit_bench.errors import UserError
from textedit_bench.registry import load_dataset, method_info, resolve_tier
from textedit_bench.tuning.grid import combinations
from textedit_bench.tuning.objective import axes_of, best, score_strengths

SPLIT = "development"
FOLDER = "tuning"
"""Cells of tunings lie in a store of their own: no table may ever pick one up."""


@dataclass(frozen=True, kw_only=True)
class TuneRequest:
    """Request for one tuning.

    Attributes:
        method, dataset, tier: what is tuned.
        grid: setting -> values to try; every combination is run, at every strength.
        images: development images per prompt.
        strengths: ascending; strength 0 is never chosen.
        seed: of everything random.
        results: folder of the results; the choice is stored there.
        device, threads: as in a bench.
        command: what was typed.
    """

    method: str
    dataset: str
    tier: str = "auto"
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    images: int = STANDARD_IMAGES
    strengths: tuple[float, ...] = STANDARD_STRENGTHS
    seed: int = STANDARD_SEED
    results: Path = Path("results")
    device: str = "cpu"
    threads: int = STANDARD_THREADS
    command: str = ""


def tune(request: TuneRequest, reporter: Reporter | None = None) -> tuple[Tuned, Path]:
    """Choose settings and strength on development images and prompts, and store the choice.

    Returns:
        The choice and the file it was stored in.

    Raises:
        UserError: unknown names or settings, or a card without development prompts.
        RuntimeError: a cell failed; its traceback is kept in the store.
        KeyboardInterrupt: stopped; the same request continues.
    """
    info, card = method_info(request.method), load_dataset(request.dataset)
    tier = resolve_tier(card, request.tier)
    if info.control:
        raise UserError(f"method {info.name!r} is a control; controls have nothing to tune")
    prompts = tuple(p.id for p in card.tier(tier).prompts if p.split == SPLIT)
    if not prompts:
        raise UserError(f"dataset {card.name!r} has no prompts of the {SPLIT} split in tier {tier}")
    candidates = combinations(request.grid, info)
    reporter = reporter or make_reporter()
    tried: list[dict[str, Any]] = []
    chosen: tuple[float, dict[str, Any], float] | None = None
    images, axes = "", None
    try:
        for settings in candidates:
            done = run_cells(_bench(request, tier, prompts, settings), reporter)
            records = _records(done)
            images = done.cells[0].images.digest
            axes = axes or axes_of(records)
            if axes is None:
                raise UserError(
                    f"dataset {card.name!r}, tier {tier}: neither ground truth nor evaluation networks for tuning"
                )
            scored = score_strengths(records, axes)
            tried += [
                {"settings": settings, "strength": s.strength, "effect": s.effect, "kept": s.kept, "score": s.score}
                for s in scored
            ]
            top = best(scored)
            if chosen is None or top.score > chosen[0]:
                chosen = (top.score, settings, top.strength)
    finally:
        reporter.close()
    assert chosen is not None and axes is not None
    tuned = Tuned(
        method=info.name,
        dataset=card.name,
        tier=tier,
        settings=chosen[1],
        strength=chosen[2],
        objective=f"mean of {axes[0]} and {axes[1]}",
        score=chosen[0],
        images=images,
        prompts=prompts,
        tried=tuple(tried),
    )
    return tuned, write_tuned(Store(request.results), tuned)


def _bench(request: TuneRequest, tier: str, prompts: tuple[str, ...], settings: dict[str, Any]) -> BenchRequest:
    return BenchRequest(
        methods=(request.method,),
        datasets=(request.dataset,),
        tier=tier,
        prompts=prompts,
        split=SPLIT,
        images=request.images,
        seed=request.seed,
        strengths=request.strengths,
        settings=settings,
        controls=False,
        results=request.results / FOLDER,
        device=request.device,
        threads=request.threads,
        command=request.command,
    )


def _records(done: BenchRun) -> pd.DataFrame:
    """Return all records of a candidate; every cell must exist, so that candidates have the same prompts."""
    if done.interrupted:
        raise KeyboardInterrupt
    for outcome in done.summary.outcomes:
        if outcome.state not in (State.DONE, State.CACHED):
            where = f" ({outcome.failure})" if outcome.failure else ""
            raise RuntimeError(f"{outcome.state.value}: {outcome.label}: {outcome.reason}{where}")
    return pd.concat([read_table(done.store.cell(cell).file(RECORDS)) for cell in done.cells], ignore_index=True)
