"""Choose settings: run the candidates on the development split, score each in one number, and select the best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
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
from textedit_bench.info import MethodInfo
from textedit_bench.metrics.column import AXES, OK
from textedit_bench.registry import load_dataset, method_info, resolve_tier


def combinations(grid: Mapping[str, Sequence[Any]], info: MethodInfo) -> list[dict[str, Any]]:
    """Return every combination of the grid, in order; only the card's settings if the grid is empty.

    Args:
        grid: setting -> values to try.
        info: the method's card.

    Raises:
        UserError: a setting that the card does not know, or a value of another type.
    """
    found = list(_product(grid))
    for candidate in found:
        info.check_settings(candidate, training=False)
    return found


def read_grid(items: Sequence[str], values: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Convert parsed ``NAME=[...]`` items to name -> list of values.

    Args:
        items: as typed, for the message.
        values: parsed; a single value counts as a list of one.

    Raises:
        UserError: an empty list.
    """
    grid = {name: value if isinstance(value, list) else [value] for name, value in values.items()}
    for name, listed in grid.items():
        if not listed:
            raise UserError(f"--grid: {name} lists no value in {', '.join(items)}; valid: NAME=[VALUE, ...]")
    return grid


def _product(grid: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    for values in product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


@dataclass(frozen=True)
class Scored:
    """A candidate at one strength.

    Attributes:
        strength: of the edits.
        effect, kept: means over prompts of the means over images.
        score: their mean.
    """

    strength: float
    effect: float
    kept: float

    @property
    def score(self) -> float:
        """Mean of effect and preservation: a point of one has to be worth a point of the other."""
        return (self.effect + self.kept) / 2.0


def axes_of(records: pd.DataFrame) -> tuple[str, str] | None:
    """Return the first pair of axes that was measured; None if there is none."""
    measured = set(records.loc[records["state"] == OK, "metric"])
    return next((pair for pair in AXES if set(pair) <= measured), None)


def score_strengths(records: pd.DataFrame, axes: tuple[str, str]) -> list[Scored]:
    """Return one entry per strength above 0 at which both axes were measured, ascending.

    Args:
        records: rows of one candidate's cells.
        axes: metrics of effect and of what is kept.
    """
    chosen = records[records["metric"].isin(axes) & (records["state"] == OK) & (records["strength"] > 0)]
    by_prompt = chosen.groupby(["strength", "metric", "prompt_id"], sort=True)["value"].mean()
    means = by_prompt.groupby(["strength", "metric"]).mean().unstack("metric").reindex(columns=list(axes)).dropna()
    return [Scored(float(s), float(row[axes[0]]), float(row[axes[1]])) for s, row in means.iterrows()]


def best(scored: Sequence[Scored]) -> Scored:
    """Return the candidate with the highest score; of equal ones the weakest edit."""
    return max(scored, key=lambda s: (s.score, -s.strength))


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
