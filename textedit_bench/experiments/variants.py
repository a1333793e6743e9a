"""Variants of one method: trained by a schedule, scored like any other, kept in their own store.

Variants never enter the bench's tables: a short training evaluates a design choice, not the method.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textedit_bench.bench.cell import Cell, digest_of
from textedit_bench.bench.plan import DatasetPlan, MethodPlan, network_digests
from textedit_bench.bench.progress import Reporter
from textedit_bench.bench.prompts import PlannedPrompt, check_read, plan_prompts
from textedit_bench.bench.request import BenchRequest
from textedit_bench.bench.session import DatasetSession
from textedit_bench.bench.store import Store
from textedit_bench.errors import UserError, kind_and_message
from textedit_bench.experiments.cells import DatasetCells
from textedit_bench.experiments.conditions import Conditions
from textedit_bench.experiments.experiment import Experiment, Schedule, Scores, TierName, Variant, Variants
from textedit_bench.experiments.intervals import mean_interval
from textedit_bench.experiments.measured import Measured
from textedit_bench.experiments.scores import measure_scores
from textedit_bench.files import sha256
from textedit_bench.info import MethodInfo
from textedit_bench.metrics.suite import Suite
from textedit_bench.registry import method_info, new_editor
from textedit_bench.report.collect import ComparableCells, stored_cells

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.editor import Editor


TRAINING_ROLES = ("discriminator", "parser")
"""Networks that only trainings look at."""
SPREAD = "mean over trainings"
log = logging.getLogger(__name__)


class _VariantSession(DatasetSession):
    """Session of variants' cells in their own store, on the inputs of the bench.

    Attributes:
        editor: the variant that is run.
    """

    editor: Editor

    def _editor(self, method: MethodPlan) -> Editor:
        return self.editor


@dataclass(frozen=True)
class _Bench:
    """Objects shared by the cells of all variants."""

    experiment: Experiment
    domain: Domain
    folder: Path
    store: Store
    session: _VariantSession


def measure_variants(
    part: Variants,
    experiment: Experiment,
    domain: Domain,
    info: MethodInfo | str,
    conditions: Conditions,
    reporter: Reporter,
) -> tuple[list[Measured], list[str]]:
    """Train, edit and score what is missing; one setting per variant.

    Returns:
        The values, and footnotes with the duration of training.
    """
    tier: TierName = "full" if domain.tier == "full" else "mini"
    chosen = [variant for variant in part.variants if tier in variant.tiers]
    schedule = part.schedule.get(tier, Schedule())
    if isinstance(info, str):
        cells = DatasetCells(None, {part.method: info}, {})
        missing, _ = measure_scores(_as_scores(part), domain.name, tier, cells)
        return [replace(row, setting=variant.name) for variant in chosen for row in missing[: len(part.metrics)]], []
    folder = conditions.folder(tier) / "variants"
    store = Store(folder / "cells")
    request = BenchRequest(
        methods=(info.name,),
        images=experiment.images,
        seed=experiment.seed,
        threads=conditions.threads,
        device=str(domain.device),
        results=store.root,
        command=conditions.command,
    )
    plan = DatasetPlan(request, domain.card, domain.tier, experiment.images, (), ())
    session = _VariantSession(plan, store, domain, Suite(domain), inputs_store=Store(conditions.results))
    bench = _Bench(experiment, domain, folder, store, session)
    rows: list[Measured] = []
    notes: list[str] = []
    for variant in chosen:
        reporter.note(f"variant {variant.name} of {info.name}")
        try:
            own, table_notes = _measure_one(part, bench, info, variant, schedule)
        except Exception as error:  # one variant's failure must not end the table
            log.exception("variant %s of %s", variant.name, info.name)
            state = f"failed: {kind_and_message(error)}"
            cells = DatasetCells(None, {info.name: state}, {info.name: info.title})
            own, table_notes = measure_scores(_as_scores(part), domain.name, tier, cells)
        rows += [replace(row, setting=_setting(variant.name, row.setting)) for row in own if not row.control]
        notes += table_notes
    rows = mark_best(rows)
    if part.spread:
        rows += spread_rows(rows)
    return rows, [_stamp(schedule, tier), *dict.fromkeys(notes)]


def _as_scores(part: Variants) -> Scores:
    return Scores(kind="scores", metrics=part.metrics)


def _setting(variant: str, prompt_set: str) -> str:
    """Return the prompt set: published tables of variants name none, so it is the trained one."""
    return variant if prompt_set == "trained" else f"{variant}, {prompt_set} prompts"


def _stamp(schedule: Schedule, tier: str) -> str:
    if not (schedule.settings or schedule.minutes):
        return "Every variant was trained by the method's own schedule."
    settings = ", ".join(f"{name} {value}" for name, value in schedule.settings.items())
    limit = f", at most {schedule.minutes:g} minutes each" if schedule.minutes else ""
    return f"SHORT SCHEDULE in tier {tier}: {settings}{limit}. It ranks choices, not methods."


def _measure_one(
    part: Variants, bench: _Bench, info: MethodInfo, variant: Variant, schedule: Schedule
) -> tuple[list[Measured], list[str]]:
    domain = bench.domain
    prompts = plan_prompts(domain.card, domain.tier, bench.experiment.prompts.get(domain.tier, ()))  # type: ignore[call-overload]
    check_read(domain, [prompt.prompt for prompt in prompts])
    variant = variant.model_copy(update={"settings": {**schedule.settings, **variant.settings}})
    editor, weights = _trained(bench, info, variant, schedule.minutes)
    digests = {_cell(bench, info, variant, prompt, editor, weights) for prompt in prompts}
    cells = [cell for cell in stored_cells(bench.store, domain.tier) if cell.digest in digests]
    collected = ComparableCells(
        domain.name, sorted(cells, key=lambda c: c.identity.prompt_id), bench.session.inputs.folder.path
    )
    return measure_scores(_as_scores(part), domain.name, domain.tier, DatasetCells(collected, {}, {}))


def _resolved(domain: Domain, value: Any) -> Any:
    """Replace ``network:<role>`` by the file of that role."""
    if isinstance(value, str) and value.startswith(NETWORK):
        return str(domain.path(value.removeprefix(NETWORK)))
    return value


def _trained(bench: _Bench, info: MethodInfo, variant: Variant, minutes: float) -> tuple[Editor, str]:
    """Return the variant's editor with its weights, trained if the store has none, and their digest."""
    domain = bench.domain
    given = variant.settings
    editor = new_editor(info.name, domain, **{name: _resolved(domain, value) for name, value in given.items()})
    named = [value for value in given.values() if isinstance(value, str) and value.startswith(NETWORK)]
    roles = {value.removeprefix(NETWORK) for value in named} | set(TRAINING_ROLES)
    identity = {
        "method": info.name,
        "version": info.version,
        "dataset": domain.name,
        # All settings, not only the given ones: two variants that name the same training in two ways are trained once.
        "settings": {**editor.settings, **given},
        "minutes": minutes,
        "seed": variant.seed,
        "networks": network_digests(domain) | {role: domain.digest(role) for role in roles if domain.has(role)},
    }
    path = bench.folder / "weights" / f"{info.name}-{domain.name}-{digest_of(identity)}.safetensors"
    if not path.is_file():
        limit = {"stop_after_minutes": minutes} if minutes else {}
        # A run that stops by the clock must not be continued by the next reproduction: it would be trained for longer.
        editor.fit(None, folder=bench.folder / "runs", seed=variant.seed, resume=not limit, preview_images=0, **limit)
        path.parent.mkdir(parents=True, exist_ok=True)
        editor.save(path)
    editor.load(path)
    return editor, sha256(path)[:16]


def _cell(
    bench: _Bench, info: MethodInfo, variant: Variant, prompt: PlannedPrompt, editor: Editor, weights: str
) -> str:
    """Complete one cell of a variant; return its digest."""
    experiment, domain, session = bench.experiment, bench.domain, bench.session
    own, learnt = {**editor.settings, **variant.settings}, info.model.learnt() if info.model else ()
    # What the training uses too is told apart by the weights.
    edit = {name: usual if name in learnt else own[name] for name, usual in info.settings_for(domain.tier).items()}
    cell = Cell(
        tier=domain.tier,
        dataset=domain.name,
        method=info.name,
        prompt_id=prompt.id,
        prompt=prompt.prompt,
        seed=experiment.seed,
        strengths=tuple(sorted({0.0, info.strength_default})),
        images=session.inputs.images,
        networks=session.networks,
        weights=weights,
        settings=info.identity_settings(edit),
        method_version=info.version,
        device=domain.device.type,
        precision=domain.precision,
        variant=variant.name,
        title=info.title,
        default_strength=info.strength_default,
        caveat=info.caveat.get(domain.tier, ""),
        trained=prompt.trained,
    )
    session.editor = editor
    session.run(cell, MethodPlan(info, cell.settings))
    return cell.digest


def mark_best(rows: list[Measured]) -> list[Measured]:
    """Mark the best variant of every metric and those whose interval reaches it.

    Each variant is trained only once, so this compares these networks, not repeated trainings.
    """
    marked = []
    for row in rows:
        rivals = [r for r in rows if (r.metric, _prompts(r)) == (row.metric, _prompts(row)) and np.isfinite(r.value)]
        up = row.heading.higher_is_better
        if len(rivals) < 2 or up is None or not np.isfinite(row.value):
            marked.append(replace(row, best=False))
            continue
        top = max(rivals, key=lambda r: r.value if up else -r.value)
        reaches = row.high >= top.value if up else row.low <= top.value
        marked.append(replace(row, best=bool(row is top or reaches)))
    return marked


def _prompts(row: Measured) -> bool:
    return row.setting.endswith(" prompts")


def spread_rows(rows: list[Measured]) -> list[Measured]:
    """Return per metric the mean over trainings with Student's interval, the expectation for one more training."""
    groups: dict[tuple[str, str, str, bool], list[Measured]] = {}
    for row in rows:
        groups.setdefault((row.dataset, row.method, row.metric, _prompts(row)), []).append(row)
    found = []
    for (_, _, _, unseen), members in groups.items():
        mean, low, high = mean_interval([row.value for row in members])
        n = sum(np.isfinite(row.value) for row in members)
        setting = SPREAD + (", unseen prompts" if unseen else "")
        keys: dict[str, Any] = {"value": mean, "low": low, "high": high, "n": int(n), "best": False, "setting": setting}
        found.append(replace(members[0], **keys, state="" if n else "no training ended"))
    return found


NETWORK = "network:"
"""In front of a role; the whole stands for the data set's file of that role."""


def check_variants(part: Variants) -> None:
    """Refuse settings that the method would refuse; a method that is not installed is not an error.

    Raises:
        UserError: names the variant or schedule, the setting, and what is valid.
    """
    try:
        info = method_info(part.method)
    except UserError:
        return
    given = {f"variant {variant.name!r}": variant.settings for variant in part.variants}
    given |= {f"schedule of tier {tier}": schedule.settings for tier, schedule in part.schedule.items()}
    for where, settings in given.items():
        own = {name: value for name, value in settings.items() if not str(value).startswith(NETWORK)}
        try:
            info.check_settings(own, training=True)
        except UserError as error:
            raise UserError(f"{where}: {error}") from error
