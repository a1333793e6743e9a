"""Plan the cells of a request; every error of the request is found here, before any work."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textedit_bench.bench.cell import Cell, ImageSet
from textedit_bench.bench.prompts import PlannedPrompt, check_read, plan_prompts
from textedit_bench.bench.request import CENSUS, QUICK, BenchRequest
from textedit_bench.bench.store import Store, Tuned, read_tuned
from textedit_bench.controls.cards import copied, other_prompts
from textedit_bench.data.card import DatasetCard
from textedit_bench.errors import UserError, unknown_choice
from textedit_bench.files import sha256
from textedit_bench.info import MethodInfo
from textedit_bench.prompt import says_nothing
from textedit_bench.registry import list_datasets, list_methods, load_dataset, method_info, resolve_tier

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.editor import Editor

__all__ = ["BenchRequest", "DatasetPlan", "MethodPlan", "plan"]

GUIDING = ("generator", "encoder", "clip", "identity")
"""Roles of networks that methods may use for editing; networks for evaluation are not among them."""


@dataclass(frozen=True)
class MethodPlan:
    """One method on one data set.

    Attributes:
        info: its card.
        settings: all its settings, defaults included.
        matched: whether its cells copy a measure of another method's cells.
        tuned: its tuned settings; None for the published ones.
        reason: why it does not support this data set; empty if it does.
    """

    info: MethodInfo
    settings: Mapping[str, Any]
    matched: bool = False
    reason: str = ""
    tuned: Tuned | None = None

    @property
    def variant(self) -> str:
        """``tuned`` if its settings were tuned, else empty."""
        return "tuned" if self.tuned is not None else ""

    @property
    def title(self) -> str:
        """Title of its rows."""
        return f"{self.info.title} ({self.variant})" if self.variant else self.info.title


@dataclass(frozen=True)
class DatasetPlan:
    """Everything requested for one data set at one tier."""

    request: BenchRequest
    card: DatasetCard
    tier: str
    images: int
    prompts: tuple[PlannedPrompt, ...]
    methods: tuple[MethodPlan, ...]
    photos: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Prompt of a census, asked here or not -> positions of its photos among the first ``images``; empty where every
    prompt is asked of all photos."""

    @property
    def standard(self) -> bool:
        """Whether it uses the standard protocol."""
        return self.request.standard and self.request.images in (None, self.card.tier(self.tier).images)

    def label(self, method: MethodPlan, prompt: PlannedPrompt, matched_method: MethodPlan | None = None) -> str:
        """Return a cell's label before the cell exists."""
        about = f" ({method.variant})" if method.variant else ""
        if matched_method is not None:
            about = f" ({copied(method.info.name)} of {matched_method.info.name})"
        return f"{method.info.name}{about} / {self.card.name} / {prompt.id}"

    @cached_property
    def rows(self) -> tuple[tuple[MethodPlan, MethodPlan | None], ...]:
        """Methods in running order, each followed by its matched controls: (method, matched method or None)."""
        controls = [method for method in self.methods if method.matched]
        rows: list[tuple[MethodPlan, MethodPlan | None]] = []
        for method in self.methods:
            if not method.matched:
                rows.append((method, None))
                if not method.info.control and method.tuned is None:
                    rows += [(control, method) for control in controls]
        return tuple(rows)

    def row(self, method: str, variant: str = "", like: str = "") -> tuple[MethodPlan, MethodPlan | None]:
        """Return the entry of `rows` with these names of methods."""
        return self._rows[method, variant, like]

    def prompt(self, name: str) -> PlannedPrompt:
        """Return a prompt by its id."""
        return self._prompts[name]

    @cached_property
    def _rows(self) -> dict[tuple[str, str, str], tuple[MethodPlan, MethodPlan | None]]:
        return {(own.info.name, own.variant, like.info.name if like else ""): (own, like) for own, like in self.rows}

    @cached_property
    def _prompts(self) -> dict[str, PlannedPrompt]:
        return {prompt.id: prompt for prompt in self.prompts}

    def cell(
        self,
        method: MethodPlan,
        prompt: PlannedPrompt,
        *,
        images: ImageSet,
        networks: Mapping[str, str],
        weights: str | None,
        matched_to: Cell | None = None,
    ) -> Cell:
        """Create the cell of a method and a prompt on the images of the data set."""
        request, info = self.request, method.info
        default = _default_strength(method, matched_to)
        return Cell(
            tier=self.tier,
            dataset=self.card.name,
            method=info.name,
            prompt_id=prompt.id,
            prompt=prompt.prompt,
            seed=request.seed,
            # Tables show copies at one strength; at all of them they would take most of a bench's time.
            strengths=(default,) if matched_to is not None else tuple(float(s) for s in request.strengths),
            images=images,
            networks=networks,
            weights=weights,
            settings=info.identity_settings(method.settings),
            method_version=info.version,
            device=request.device.partition(":")[0],
            precision=request.precision,
            variant=method.variant,
            matched_to=matched_to,
            title=method.title,
            default_strength=default,
            control=info.control,
            caveat=info.caveat.get(self.tier, ""),
            trained=prompt.trained,
        )

    def source_prompt(self, method: MethodPlan, prompt: PlannedPrompt) -> PlannedPrompt | None:
        """Return the prompt of the cell that a matched control copies; None if no prompt asks for another edit."""
        if copied(method.info.name) == "edit":
            return self._other_prompts.get(prompt.id)
        return prompt

    @cached_property
    def _other_prompts(self) -> dict[str, PlannedPrompt]:
        return other_prompts(self.prompts)

    @property
    def cell_count(self) -> int:
        """Number of cells."""
        return len(self.prompts) * len(self.rows)


def _default_strength(method: MethodPlan, matched_to: Cell | None) -> float:
    """Return the default strength; a control that shows another method's edits has that method's."""
    if matched_to is not None and copied(method.info.name) == "edit":
        return matched_to.default_strength
    return method.tuned.strength if method.tuned is not None else float(method.info.strength_default)


def plan(request: BenchRequest) -> list[DatasetPlan]:
    """Plan a request, data set by data set; loads no network except text encoders for long prompts.

    Raises:
        UserError: an unknown method, data set, tier, prompt or setting, or more images than there are.
    """
    names = request.methods or tuple(info.name for info in list_methods() if not info.control)
    if not names:
        raise UserError("methods: none is installed")
    infos = [method_info(name) for name in dict.fromkeys(names)]
    cards = [load_dataset(name) for name in request.datasets] if request.datasets else list_datasets()
    if request.source:
        cards = [card.with_source(request.source) for card in cards]
    if not cards:
        raise UserError("datasets: none is installed")
    _check_settings(request, infos)
    return [_plan_dataset(request, card, infos) for card in {card.name: card for card in cards}.values()]


def _plan_dataset(request: BenchRequest, card: DatasetCard, infos: list[MethodInfo]) -> DatasetPlan:
    tier = resolve_tier(card, request.tier)
    splits = {str(name): count for name, count in card.tier(tier).splits.items()}
    available = splits.get(request.split, 0)
    images = request.images or card.tier(tier).images
    if request.fewer and available:
        images = min(images, available)
    if images > available:
        where = f"source {request.source}, as {card.name}" if request.source else f"data set {card.name}"
        has = f"{available}; valid: 1 to {available}" if available else "none"
        raise UserError(f"images: {images} asked; the {request.split} split of {where}, tier {tier} has {has}")
    chosen = {info.name: info for info in infos}
    compared = any(not info.control for info in infos)
    if request.controls and compared:
        chosen.update((info.name, info) for info in list_methods() if info.control)
    methods = [
        _plan_method(request, card, tier, info, matched=compared and copied(info.name) != "")
        for info in chosen.values()
    ]
    if request.tuned:
        methods += [_tuned(request, card, tier, method) for method in methods if not method.info.control]
    _check_strengths(request, methods)
    if request.protocol == CENSUS:
        return _plan_census(request, card, tier, available, images, tuple(methods))
    prompts = () if request.own_prompts and not request.prompts else plan_prompts(card, tier, request.prompts)
    asked = (*prompts, *request.own_prompts)
    _check_truth(card, tier, asked)
    _check_words(card, tier, asked)
    return DatasetPlan(request, card, tier, images, asked, tuple(methods))


def _plan_census(
    request: BenchRequest, card: DatasetCard, tier: str, available: int, images: int, methods: tuple[MethodPlan, ...]
) -> DatasetPlan:
    """Plan a prompt for every value of the tier's world, each on ``images`` of the available photos.

    Raises:
        UserError: the tier has no world, or a prompt is asked for that the census lacks.
    """
    from textedit_bench.bench.census import census_prompts, choose_photos
    from textedit_bench.worlds.world import load_world

    world = load_world(card, tier)
    if world is None:
        raise UserError(
            f"protocol: a census needs photos with known attributes; data set {card.name}, tier {tier} has "
            f"none; valid: {QUICK}"
        )
    census = census_prompts(card, tier, world)
    photos = choose_photos(world, request.split, available, census, images)
    # The set of photos does not depend on the requested prompts.
    pool = max(there[-1] for there in photos.values() if there) + 1
    known = {prompt.id: prompt for prompt in census if photos[prompt.id]}
    for name in request.prompts:
        if name not in known:
            raise unknown_choice(f"prompt of the census of {card.name},", name, known)
    if request.own_prompts:
        raise UserError("own_prompts: a census uses only prompts of the world; valid with protocol quick")
    prompts = [known[name] for name in dict.fromkeys(request.prompts)] or list(known.values())
    _check_words(card, tier, prompts)
    return DatasetPlan(request, card, tier, pool, tuple(prompts), methods, {name: photos[name] for name in known})


def _check_truth(card: DatasetCard, tier: str, prompts: Iterable[PlannedPrompt]) -> None:
    """Refuse factors that the tier's world does not know, which otherwise only scoring would notice."""
    from textedit_bench.worlds.world import load_world

    world = load_world(card, tier)
    if world is None:
        return
    for prompt in prompts:
        try:
            world.value_indices(prompt.prompt.asked)
        except UserError as error:
            raise UserError(f"data set {card.name}, tier {tier}, prompt {prompt.id}: {error}") from error


def _check_words(card: DatasetCard, tier: str, prompts: Sequence[PlannedPrompt]) -> None:
    """Refuse prompts that ask for nothing, or that a text encoder would truncate."""
    from textedit_bench.domain import Domain

    for prompt in prompts:
        if says_nothing(prompt.prompt.target, card.neutral):
            raise UserError(
                f"data set {card.name}, prompt {prompt.id}: {prompt.prompt.target!r} is the neutral text; it requests "
                f"no edit"
            )
    check_read(Domain(card, tier), [prompt.prompt for prompt in prompts])


def _plan_method(request: BenchRequest, card: DatasetCard, tier: str, info: MethodInfo, *, matched: bool) -> MethodPlan:
    settings = info.settings_for(tier)
    if "seed" in settings:
        settings["seed"] = request.seed
    if not info.control:
        settings.update(request.settings)
    reason = ""
    if "edit" not in info.tasks:
        reason = f"{info.name} does not edit; its tasks are: {', '.join(info.tasks)} (bench --task {info.tasks[0]})"
    elif info.datasets and card.name not in info.datasets:
        reason = f"{info.name} supports only {', '.join(info.datasets)}"
    return MethodPlan(info, settings, matched, reason)


def _tuned(request: BenchRequest, card: DatasetCard, tier: str, method: MethodPlan) -> MethodPlan:
    """Return the method with the settings that were tuned for it on this data set.

    Raises:
        UserError: it was not tuned.
    """
    tuned = read_tuned(Store(request.results), tier, card.name, method.info.name)
    method.info.check_settings(tuned.settings, training=False)
    return replace(method, settings={**method.settings, **tuned.settings}, tuned=tuned)


def _check_settings(request: BenchRequest, infos: list[MethodInfo]) -> None:
    for info in infos:
        if not info.control:
            info.check_settings(request.settings, training=False)


def _check_strengths(request: BenchRequest, methods: Iterable[MethodPlan]) -> None:
    """Refuse strengths that lack that of a row; matched controls have their own, whatever the request's are."""
    for method in methods:
        name, wanted = method.info.name, _default_strength(method, None)
        if not method.matched and wanted not in request.strengths:
            given = ", ".join(format(s, "g") for s in request.strengths)
            what = "default" if method.tuned is None else "tuned strength"
            hint = "; valid without controls" if method.info.control and name not in request.methods else ""
            raise UserError(f"strengths: {given} lack the {what} of {name}, {wanted:g}{hint}")


def network_digests(domain: Domain) -> dict[str, str]:
    """Return the digests of the networks that methods may use."""
    return {role: domain.digest(role) for role in GUIDING if domain.has(role)}


def weights_digest(editor: Editor) -> str | None:
    """Return the digest of a method's weights: its own file or folder, else the authors' files; None if it has none.

    Files that its settings name count as well.
    """
    path = editor.weights_path()
    given = [f"given:{sha256(file)}" for file in editor.given_files()]
    if path is None or not Path(path).exists():
        released = [f"{file.parent.name}/{file.name}:{sha256(file)}" for file in editor.released_files()] + given
        return hashlib.sha256("\n".join(released).encode()).hexdigest()[:16] if released else None
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    lines = [f"{'' if file == path else file.relative_to(path).as_posix()}:{sha256(file)}" for file in files]
    return hashlib.sha256("\n".join(lines + given).encode()).hexdigest()[:16]
