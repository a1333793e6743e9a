"""Get the cells of an experiment: run missing ones, read others from the store."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from textedit_bench.bench.generation.session import GenerationSession, GenerationStore
from textedit_bench.bench.plan import plan
from textedit_bench.bench.progress import CellOutcome, Reporter, State
from textedit_bench.bench.prompts import planned_prompt
from textedit_bench.bench.request import STANDARD_STRENGTHS, BenchRequest
from textedit_bench.bench.run import run_cells
from textedit_bench.bench.session import DatasetSession
from textedit_bench.bench.store import Store
from textedit_bench.errors import UserError
from textedit_bench.experiments.conditions import Conditions
from textedit_bench.experiments.experiment import Experiment, TierName
from textedit_bench.info import MethodInfo
from textedit_bench.registry import list_methods, method_info, method_names
from textedit_bench.report.collect import CellFilter, ComparableCells, collect, stored_cells, uncopied

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DatasetCells:
    """The cells of one data set for an experiment.

    Attributes:
        collected: the cells, or None if there are none.
        states: method -> why it has no cells.
        titles: method -> how it is written.
        failures: cells that should have been run and were not, with the reason.
    """

    collected: ComparableCells | None
    states: Mapping[str, str]
    titles: Mapping[str, str]
    failures: tuple[str, ...] = ()


def wanted_methods(experiment: Experiment) -> tuple[str, ...]:
    """Return the experiment's methods by name, or every installed one except controls."""
    return experiment.methods or tuple(info.name for info in list_methods() if not info.control)


def installed(name: str) -> MethodInfo | str:
    """Return a method's card, or the reason why there is none."""
    if name not in method_names():
        return "not installed"
    try:
        return method_info(name)
    except UserError as error:
        return str(error)


def bench_cells(
    experiment: Experiment,
    dataset: str,
    tier: TierName,
    conditions: Conditions,
    reporter: Reporter,
    *,
    generated: int = 0,
) -> DatasetCells:
    """Run missing cells of one data set and collect all; a method that cannot run becomes a state.

    Args:
        generated: pictures drawn from every prompt; 0 for edits.

    Raises:
        KeyboardInterrupt: the run was stopped; finished cells are kept.
    """
    cards = {name: installed(name) for name in wanted_methods(experiment)}
    states = {name: card for name, card in cards.items() if isinstance(card, str)}
    infos = [card for card in cards.values() if not isinstance(card, str)]
    digests: set[str] = set()
    outcomes: list[CellOutcome] = []
    wanted = None
    session, stores = (GenerationSession, GenerationStore) if generated else (DatasetSession, Store)
    for request in _requests(experiment, dataset, tier, conditions, infos):
        if generated:
            request = replace(request, images=generated, controls=False)
        try:
            done = run_cells(request, reporter, open_session=session, open_store=stores)
        except UserError as error:
            states |= {name: str(error) for name in request.methods}
            continue
        if done.interrupted:
            raise KeyboardInterrupt
        outcomes += done.summary.outcomes
        digests |= {cell.digest for cell in done.cells}
        for data in done.benched:
            prompts = frozenset(prompt.id for prompt in data.plan.prompts)
            wanted = CellFilter("", prompts, frozenset(digests), data.protocols)
    for info in infos:
        if info.name not in states:
            reason = _reason(outcomes, info.name)
            if reason:
                states[info.name] = reason
    titles = {info.name: info.title for info in infos}
    failures = tuple(
        f"{outcome.label}: {outcome.state.value}: {outcome.reason}"
        for outcome in outcomes
        if outcome.state in (State.FAILED, State.OUT_OF_MEMORY)
    )
    if wanted is None:
        return DatasetCells(None, states, titles, failures)
    own = [cell for cell in stored_cells(stores(conditions.results), tier) if cell.digest in digests]
    if not own:
        return DatasetCells(None, states, titles, failures)
    first = uncopied(own)[0]
    chosen = replace(wanted, protocol_key=first.protocol_key)
    return DatasetCells(collect(first.identity.dataset, own, chosen), states, titles, failures)


def check_cells(experiment: Experiment, dataset: str, tier: TierName, conditions: Conditions) -> None:
    """Plan the cells without running any.

    Raises:
        UserError: the experiment asks for a prompt, a setting or more images than there are.
    """
    infos = [card for card in map(installed, wanted_methods(experiment)) if not isinstance(card, str)]
    for request in _requests(experiment, dataset, tier, conditions, infos):
        plan(request)


def _requests(
    experiment: Experiment, dataset: str, tier: TierName, conditions: Conditions, infos: Iterable[MethodInfo]
) -> list[BenchRequest]:
    """Return one request for all methods with default settings, one more for each with its own settings."""
    chosen = list(infos)
    plain = tuple(info.name for info in chosen if info.name not in experiment.settings)
    groups: list[tuple[tuple[str, ...], dict[str, Any]]] = [(plain, {})] if plain else []
    groups += [((info.name,), experiment.settings[info.name]) for info in chosen if info.name in experiment.settings]
    own = tuple(map(planned_prompt, experiment.own_prompts.get(dataset, ())))
    return [
        BenchRequest(
            methods=names,
            datasets=(dataset,),
            tier=tier,
            prompts=experiment.prompts.get(tier, ()),
            own_prompts=own,
            images=experiment.images,
            seed=experiment.seed,
            strengths=STANDARD_STRENGTHS,
            settings=dict(settings),
            controls=experiment.controls,
            results=conditions.results,
            device=conditions.device,
            threads=conditions.threads,
            command=conditions.command,
        )
        for names, settings in groups
    ]


def _reason(outcomes: Iterable[CellOutcome], method: str) -> str:
    """Return why a method has no cell; empty if it has one."""
    own = [outcome for outcome in outcomes if outcome.label.startswith(f"{method} / ")]
    if any(outcome.state in (State.DONE, State.CACHED) for outcome in own):
        return ""
    first = next(iter(own), None)
    if first is None:
        return "not run"
    return first.reason if first.state is State.NOT_APPLICABLE else f"{first.state.value}: {first.reason}"
