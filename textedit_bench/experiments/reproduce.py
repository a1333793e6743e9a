"""Run an experiment, compare it with published values, and write its table."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textedit_bench.bench.progress import Reporter, make_reporter
from textedit_bench.data.destination import check_folder
from textedit_bench.errors import UserError, unknown_choice
from textedit_bench.experiments.cells import DatasetCells, bench_cells, check_cells, installed, wanted_methods
from textedit_bench.experiments.comparison import Comparison, compare
from textedit_bench.experiments.conditions import Conditions
from textedit_bench.experiments.drawings import comparison_drawings
from textedit_bench.experiments.experiment import (
    Alignment,
    Audit,
    Experiment,
    Generation,
    Latency,
    Measure,
    Offsets,
    Scores,
    TierName,
    Variants,
)
from textedit_bench.experiments.measured import Measured
from textedit_bench.experiments.page import page_of
from textedit_bench.experiments.variants import check_variants
from textedit_bench.files import write_text
from textedit_bench.registry import load_dataset, resolve_tier
from textedit_bench.report.formats import escape, frame_csv, render_latex, render_markdown
from textedit_bench.report.html import render_html

if TYPE_CHECKING:
    from textedit_bench.data.card import DatasetCard
    from textedit_bench.domain import Domain

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reproduced:
    """One experiment in one tier.

    Attributes:
        table: measured and published values.
        written: its files.
        failed: cells and methods that should have run and did not; missing weights are no failure.
    """

    table: Comparison
    written: tuple[Path, ...]
    failed: tuple[str, ...] = ()


def reproduce(experiment: Experiment, conditions: Conditions, reporter: Reporter | None = None) -> list[Reproduced]:
    """Run what is missing and write one table per tier of the data sets.

    Cells of the bench, trained variants and their edits are stored and reused; times are measured again.

    Raises:
        UserError: the request cannot be met.
    """
    reporter = reporter or make_reporter()
    check(experiment, conditions)
    try:
        found = []
        for tier, cards in _tiers(experiment, conditions).items():
            rows, notes, failed = _measure_all(experiment, tier, cards, conditions, reporter)
            table = compare(experiment, tier, rows, notes)
            failed += [f"{r.dataset}, {r.title}: {r.state}" for r in rows if r.state.startswith(("failed", "out of"))]
            written = write_comparison(table, conditions.folder(tier))
            found.append(Reproduced(table, tuple(written), tuple(dict.fromkeys(failed))))
        return found
    finally:
        reporter.close()


def check(experiment: Experiment, conditions: Conditions) -> None:
    """Validate a request before anything runs; missing methods or files are not errors.

    Raises:
        UserError: none of the data sets can be used, or a prompt, a setting or a number of images is wrong.
    """
    tiers = _tiers(experiment, conditions)
    _check_published(experiment, [card for cards in tiers.values() for card in cards.values()])
    for part in experiment.measure:
        if isinstance(part, Variants):
            check_variants(part)
    for tier, cards in tiers.items():
        check_folder(conditions.folder(tier), "results")
        for name, card in cards.items():
            if experiment.needs_bench and not isinstance(card, str):
                check_cells(experiment, name, tier, conditions)


def _check_published(experiment: Experiment, cards: Sequence[DatasetCard | str]) -> None:
    """Refuse a published value of a data set that the experiment does not have, which could never be matched."""
    # An experiment may name a card by alias or by file; published values go by its name.
    valid = {*experiment.datasets, *(card.name for card in cards if not isinstance(card, str))}
    for number, value in enumerate(experiment.published):
        if value.dataset not in valid:
            raise unknown_choice(f"dataset of published.{number} in experiment {experiment.name}", value.dataset, valid)


def write_comparison(table: Comparison, folder: Path) -> list[Path]:
    """Write ``<name>.{csv,md,tex,html}``; the same table gives the same bytes."""
    page = page_of(table)
    name = table.experiment.name
    texts = {
        "csv": frame_csv(table.frame),
        "md": f"# {escape(page.title)}\n\n{render_markdown(page)}",
        "tex": render_latex(page),
        "html": render_html(page, comparison_drawings(table)),
    }
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for ending, text in texts.items():
        path = folder / f"{name}.{ending}"
        write_text(path, text)
        paths.append(path)
    return paths


def _tiers(experiment: Experiment, conditions: Conditions) -> dict[TierName, dict[str, DatasetCard | str]]:
    """Return tier -> data set -> its card, or why there is none; a missing data set is a row of every tier."""
    found: dict[TierName, dict[str, DatasetCard | str]] = {}
    missing: dict[str, str] = {}
    for name in experiment.datasets:
        try:
            card = load_dataset(name)
            tier: TierName = "full" if resolve_tier(card, conditions.tier) == "full" else "mini"
            found.setdefault(tier, {})[name] = card
        except UserError as error:
            missing[name] = f"data set not installed: {error}"
    if not found:
        raise UserError(
            f"experiment {experiment.name}: none of its data sets can be used: {'; '.join(missing.values())}"
        )
    for cards in found.values():
        cards |= missing
    return found


def _measure_all(
    experiment: Experiment,
    tier: TierName,
    cards: dict[str, DatasetCard | str],
    conditions: Conditions,
    reporter: Reporter,
) -> tuple[list[Measured], list[str], list[str]]:
    """Return rows, footnotes, and failures."""
    from textedit_bench.domain import Domain

    rows: list[Measured] = []
    notes: list[str] = []
    failed: list[str] = []
    for name, card in cards.items():
        missing = card if isinstance(card, str) else ""
        label = name if isinstance(card, str) else card.name  # an experiment may name a card by alias or by file
        cells = DatasetCells(None, dict.fromkeys(wanted_methods(experiment), missing), {})
        domain = None if isinstance(card, str) else Domain(card, tier, conditions.device)
        if domain is not None and experiment.needs_bench:
            cells = bench_cells(experiment, name, tier, conditions, reporter)
            failed += cells.failures
        for part in experiment.measure:
            shown = cells
            if isinstance(part, Generation) and domain is not None:
                count = part.images_per_prompt
                shown = bench_cells(experiment, name, tier, conditions, reporter, generated=count)
                failed += shown.failures
            own, own_notes = _measure(part, experiment, label, tier, shown, domain, conditions, reporter)
            rows += own
            notes += own_notes
    return rows, list(dict.fromkeys(notes)), failed


def _measure(
    part: Measure,
    experiment: Experiment,
    dataset: str,
    tier: TierName,
    cells: DatasetCells,
    domain: Domain | None,
    conditions: Conditions,
    reporter: Reporter,
) -> tuple[list[Measured], Sequence[str]]:
    """Run one measure on one data set, importing only its module."""
    if isinstance(part, Scores | Generation):
        from textedit_bench.experiments.scores import measure_scores

        return measure_scores(part, dataset, tier, cells)
    if isinstance(part, Offsets):
        from textedit_bench.experiments.offsets import measure_offsets

        return measure_offsets(part, dataset, cells), ()
    if isinstance(part, Audit):
        from textedit_bench.experiments.audit import measure_audit

        return measure_audit(dataset, cells), ()
    if domain is None:  # the rest needs networks
        return list(_lacking(part, experiment, dataset, cells.states)), ()
    try:
        return _measure_domain(part, experiment, domain, conditions, reporter)
    except UserError as error:  # a network or the photos are not there
        states = dict.fromkeys(cells.states, str(error))
        return list(_lacking(part, experiment, dataset, states)), ()


def _measure_domain(
    part: Measure, experiment: Experiment, domain: Domain, conditions: Conditions, reporter: Reporter
) -> tuple[list[Measured], Sequence[str]]:
    """Run measures that need more than the bench's cells."""
    methods = {name: installed(name) for name in wanted_methods(experiment)}
    if isinstance(part, Latency):
        from textedit_bench.experiments.latency import measure_latency

        reporter.note(f"timing single edits on {domain.name}")
        return measure_latency(part, domain, methods, conditions), ()
    if isinstance(part, Alignment):
        from textedit_bench.experiments.alignment import measure_alignment

        return measure_alignment(part, domain, experiment.seed), ()
    assert isinstance(part, Variants)
    from textedit_bench.experiments.variants import measure_variants

    return measure_variants(part, experiment, domain, installed(part.method), conditions, reporter)


def _lacking(part: Measure, experiment: Experiment, dataset: str, states: Mapping[str, str]) -> Iterator[Measured]:
    """Return one row per method with the reason why a data set could not be measured."""
    from textedit_bench.experiments.measured import Heading

    for method, state in states.items():
        yield Measured(
            dataset=dataset, method=method, setting="", metric=part.kind, heading=Heading(part.kind), state=state
        )
