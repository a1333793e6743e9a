"""Run the cells of one data set, with the state that they share."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from textedit_bench.assets.locate import lacks_weights, not_trained
from textedit_bench.bench.cell import Cell, Manifest
from textedit_bench.bench.infer import CellMaterial, infer, lies_elsewhere, publish_edits
from textedit_bench.bench.inputs import (
    INVERSION,
    PHOTO,
    Inputs,
    InputShard,
    prepare_features,
    prepare_inputs,
    reference_images,
)
from textedit_bench.bench.kept import CellPictures, Kept, PicturesGoneError
from textedit_bench.bench.machine import Meter, return_free_memory
from textedit_bench.bench.parts import join_parts, part_folder, remove_parts
from textedit_bench.bench.pictures import Pixels, to_images
from textedit_bench.bench.plan import DatasetPlan, MethodPlan, network_digests, weights_digest
from textedit_bench.bench.progress import State
from textedit_bench.bench.prompts import PlannedPrompt
from textedit_bench.bench.scoring import RECORDS, has_features, protocols_of, publish_scores, score
from textedit_bench.bench.shards import Shard, cut_shards, pass_size
from textedit_bench.bench.store import ResultFolder, Store
from textedit_bench.controls.cards import copied, shown
from textedit_bench.controls.editors import Control
from textedit_bench.devices import fixed_threads
from textedit_bench.errors import NotApplicableError, UserError
from textedit_bench.registry import load_editor

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.editor import Editor
    from textedit_bench.metrics.suite import Suite


KEPT = {"mini": "all", "full": "shown"}
"""Tier -> which pictures are kept by default."""
_WORTH_TIMING = 8
"""Minimum number of remaining batches for scoring an extra one only to time it."""


@dataclass(frozen=True)
class ScoredDataset:
    """The data of a benched data set that tables need, without its networks."""

    plan: DatasetPlan
    protocols: Mapping[str, Mapping[str, Any]]
    """Metric name -> protocol, as scored now."""


@dataclass(frozen=True)
class Todo:
    """Numbers of picture batches that are not scored yet, one per cell and strength.

    Attributes:
        new: pictures that were not scored before.
        known: pictures that another cell shows too.
    """

    new: int
    known: int


class DatasetSession:
    """The shared state of one data set: domain, inputs, evaluation networks, editors.

    Photos, inversions and reference features are computed when the session is created.

    Args:
        plan: the plan of the data set.
        store: the store of the cells.
        domain: the data set.
        suite: its evaluation networks and metrics.
        inputs_store: the store of photos and inversions; that of the cells if None.

    Raises:
        UserError: the tier lacks a network or images.
    """

    def __init__(
        self, plan: DatasetPlan, store: Store, domain: Domain, suite: Suite, inputs_store: Store | None = None
    ) -> None:
        self.plan, self.store, self.domain, self.suite = plan, store, domain, suite
        self._editors: dict[str, Editor] = {}
        self._weights: dict[str, str | None] = {}
        self.networks = network_digests(domain)
        self.protocols = protocols_of(suite)
        with fixed_threads(plan.request.threads):
            asked = plan.request
            where = inputs_store or store
            self.inputs = prepare_inputs(where, domain, plan.images, asked.split, fewer=asked.fewer)
            # Prompt id -> its own photos, if prompts have different ones.
            self._chosen = self.inputs.deal(plan.photos)
            self._looked = False
            self._loaded: tuple[Inputs, Shard, InputShard] | None = None
            if has_features(suite):
                features = {name: p for name, p in self.protocols.items() if p["scope"] == "set"}
                prepare_features(
                    self.inputs, domain, suite, {"metrics": features, "reference_images": reference_images(domain)}
                )

    @staticmethod
    def reason(plan: DatasetPlan, method: MethodPlan) -> str:
        """Return why a method can run no cell of the data set, whatever its weights; empty if it can."""
        return method.reason

    def cell(self, method: MethodPlan, prompt: PlannedPrompt, matched_to: Cell | None = None) -> Cell:
        """Create the cell of a method and a prompt.

        Raises:
            NotApplicableError: the method does not support the data set or the prompt, or has no weights.
        """
        if reason := self.reason(self.plan, method):
            raise NotApplicableError(reason)
        if refusal := self._editor(method).refusal(prompt.prompt.without_truth):
            raise NotApplicableError(refusal)
        weights = self._weights_of(method)
        return self.plan.cell(
            method,
            prompt,
            images=matched_to.images if matched_to is not None else self._chosen.get(prompt.id, self.inputs).images,
            networks=self.networks,
            weights=weights,
            matched_to=matched_to,
        )

    def run(self, cell: Cell, method: MethodPlan, part: int | None = None) -> tuple[State, float]:
        """Complete a cell: edit if no edits are stored, score if scores are missing or outdated.

        Args:
            cell: the cell.
            method: its method.
            part: compute only this shard of the cell, to be merged later; None computes all missing ones.

        Returns:
            `State.DONE` or `State.CACHED`, and the seconds it took.

        Raises:
            NotApplicableError: the cell cannot be run here.
        """
        began = time.perf_counter()
        with fixed_threads(self.plan.request.threads):
            state = self._run_all(cell, method) if part is None else self._run_part(cell, method, part)
        return state, time.perf_counter() - began

    def _run_all(self, cell: Cell, method: MethodPlan) -> State:
        folder = self.store.cell(cell)
        with folder.locked():
            manifest = folder.manifest()
            if manifest is not None and self._is_scored(manifest):
                folder.update(listing=cell.listing())
                remove_parts(folder)
                return State.CACHED
            shards = self._shards(cell)
            if len(shards) == 1:
                self._compute(folder, cell, method, shards[0], manifest)
            else:
                parts = [self._part(folder, cell, method, shard, manifest) for shard in shards]
                join_parts(folder, cell, parts, new_edits=manifest is None)
            remove_parts(folder)
        return State.DONE

    def _run_part(self, cell: Cell, method: MethodPlan, part: int) -> State:
        folder = self.store.cell(cell)
        with folder.locked():  # another process may be replacing the scores
            manifest = folder.manifest()
        if self._is_scored(manifest):
            return State.CACHED
        shards = self._shards(cell)
        try:
            if part < len(shards):  # prompts may have fewer photos than the others
                self._part(folder, cell, method, shards[part], manifest)
        except Exception:
            with folder.locked():
                finished = self._is_scored(folder.manifest())
            if not finished:
                raise
            return State.CACHED  # another process has finished the cell and removed its parts
        return State.DONE

    @property
    def shard_count(self) -> int:
        """Maximum number of shards of a cell."""
        return len(self._cut(self.images_per_cell))

    @property
    def images_per_cell(self) -> int:
        """Maximum number of photos of a prompt."""
        return max((len(own.ids) for own in self._chosen.values()), default=len(self.inputs.ids))

    @property
    def _kept(self) -> str:
        """Which pictures of new edits are kept."""
        return self.plan.request.keep_pictures or KEPT[self.plan.tier]

    def _shards(self, cell: Cell) -> list[Shard]:
        return self._cut(cell.images.count)

    def _cut(self, images: int) -> list[Shard]:
        request = self.plan.request
        return cut_shards(images, self.domain.resolution, len(request.strengths), request.shard)

    def _inputs(self, cell: Cell) -> Inputs:
        """Return the inputs of a cell: all photos, or those of its prompt."""
        return next((own for own in self._chosen.values() if own.images == cell.images), self.inputs)

    def _load(self, inputs: Inputs, shard: Shard) -> InputShard:
        """Load some photos; only the last ones loaded, of all prompts, are kept."""
        if self._loaded is None or self._loaded[0] is not inputs or self._loaded[1] != shard:
            self._loaded = None  # release them before the next ones are read
            self._loaded = inputs, shard, inputs.load(shard)
        return self._loaded[2]

    def _is_scored(self, manifest: Manifest | None) -> bool:
        return manifest is not None and manifest.score is not None and manifest.protocols == self.protocols

    def _part(
        self, folder: ResultFolder, cell: Cell, method: MethodPlan, shard: Shard, manifest: Manifest | None
    ) -> ResultFolder:
        """Complete one shard, in its own folder below the cell's."""
        part = part_folder(folder, shard, self._kept if manifest is None else None)
        with part.locked():
            if not self._is_scored(part.manifest()):
                self._compute(part, cell, method, shard, manifest)
        return part

    def _compute(
        self, folder: ResultFolder, cell: Cell, method: MethodPlan, shard: Shard, manifest: Manifest | None
    ) -> None:
        """Edit and score some images of a cell.

        Args:
            folder: where they are stored: the cell's, or that of a part.
            cell: the cell.
            method: its method.
            shard: the images.
            manifest: of the cell's stored edits; None computes them.
        """
        inputs = self._inputs(cell)
        photos = self._load(inputs, shard)
        if manifest is None:
            pixels = self._edit(folder, cell, method, inputs, photos)
        else:
            try:
                pictures = CellPictures(self.store.cell(cell).path, manifest, lambda: self.domain)
                pixels = pictures.read(photos.ids, cell.strengths)
            except PicturesGoneError as error:
                raise NotApplicableError(str(error)) from error
            if folder.manifest() is None:  # a part; its edits are stored with the whole cell
                folder.publish("infer", {}, {"ids": list(photos.ids), "cost": []})
        self._score(folder, cell, photos, pixels)

    def _edit(
        self, folder: ResultFolder, cell: Cell, method: MethodPlan, inputs: Inputs, photos: InputShard
    ) -> list[Pixels]:
        if not self.plan.request.infer:
            raise NotApplicableError("no stored edits to score; run the bench without scoring only")
        request = self.plan.request
        meter = self._meter()
        editor = self._editor(method)
        if isinstance(editor, Control):
            editor = editor.make(CellMaterial(cell, photos, self.store, self.domain, self.suite.perfect))
        edits = infer(self.domain, editor, photos, cell, meter)
        kept = Kept(self._kept, lies_elsewhere(cell))
        publish_edits(folder, cell, inputs, photos.ids, edits, meter, request, command=request.command, kept=kept)
        return edits.pixels

    def _score(self, folder: ResultFolder, cell: Cell, photos: InputShard, pixels: Sequence[Pixels]) -> None:
        manifest = folder.manifest()
        if manifest is None:
            raise OSError(f"{folder.path}: the written file cannot be read back")
        if self._chosen and not self._looked:
            self._look_at_photos(cell)
        meter = self._meter()
        records, features = score(self.domain, self.suite, photos, cell, pixels, meter)
        rows = [*manifest.infer.cost, *meter.rows(len(photos.ids) * len(cell.strengths))]
        publish_scores(folder, cell, self.protocols, records, features, rows)

    @torch.no_grad()
    def _look_at_photos(self, cell: Cell) -> None:
        """Pass all photos and inversions through the evaluation networks, in separate passes.

        Evaluation networks cache these outputs, whose last digits depend on the batch in which they are computed. If
        every prompt has its own photos, they would otherwise depend on the order of the cells.
        """
        size, start = pass_size(self.domain.resolution), 0
        groups = (self.inputs.pictures(PHOTO, size), self.inputs.pictures(INVERSION, size))
        for photos, inversions in zip(*groups, strict=True):
            factors = None if self.inputs.factors is None else self.inputs.factors[start : start + len(photos)]
            seen = [to_images(pixels, self.domain.device) for pixels in (photos, inversions)]
            self.suite.score_batch(
                photos=seen[0], inversions=seen[1], edits=seen[1], prompt=cell.prompt, factors=factors
            )
            start += len(photos)
        self._looked = True

    def _meter(self) -> Meter:
        """Start measuring a stage."""
        return_free_memory(self.domain.resolution)
        meter = Meter(self.domain.device)
        meter.start()
        return meter

    def _editor(self, method: MethodPlan) -> Editor:
        key = json.dumps([method.info.name, dict(method.settings)], sort_keys=True)
        if key not in self._editors:
            self._editors[key] = load_editor(method.info.name, self.domain, **method.settings)
        return self._editors[key]

    def _weights_of(self, method: MethodPlan) -> str | None:
        name = method.info.name
        if name not in self._weights:
            editor = self._editor(method)
            if lacks_weights(editor):
                raise NotApplicableError(str(not_trained(editor)))
            self._weights[name] = weights_digest(editor)
        return self._weights[name]

    def count_todo(self) -> Todo:
        """Count what has no scores yet, without verifying checksums."""
        new = known = 0
        done: dict[tuple[str, str], Cell] = {}
        for method, matched_method in self.plan.rows:
            for prompt in self.plan.prompts:
                try:
                    source = self.plan.source_prompt(method, prompt) if matched_method else None
                    matched = done.get((matched_method.info.name, source.id)) if matched_method and source else None
                    if matched_method and matched is None:
                        continue
                    cell = self.cell(method, prompt, matched)
                except UserError:
                    raise
                except Exception:  # not applicable, or a fault of the method: its cells report it
                    continue
                if method.tuned is None:
                    done[method.info.name, prompt.id] = cell
                if not self.store.cell(cell).file(RECORDS).exists():
                    pictures = 1 if shown(cell.method) else len(cell.strengths)
                    shown_before = method.matched and copied(cell.method) == "edit"
                    known += pictures * shown_before
                    new += pictures * (not shown_before)
        return Todo(new, known)

    @torch.no_grad()
    def estimate(self, todo: Todo) -> float:
        """Estimate the seconds of the remaining cells, methods excluded, from one timed batch of each shared step.

        Evaluation work that is done once per data set is done here instead of in the first cell; only the timed batches
        are extra work. If only few batches are left, the first batch to be scored is timed instead of an extra one: an
        upper bound, since it includes the work that is done once.
        """
        if not todo.new + todo.known:
            return 0.0
        prompt, images = self.plan.prompts[0].prompt, self.images_per_cell
        part = self._load(self.inputs, Shard(0, min(images, pass_size(self.domain.resolution))))
        photos, inversions = (to_images(pixels, self.domain.device) for pixels in (part.photos, part.inversions))

        def measure(edits: Tensor) -> None:
            self.suite.score_batch(
                photos=photos, inversions=inversions, edits=edits, prompt=prompt, factors=part.factors
            )
            return_free_memory(self.domain.resolution)

        return_free_memory(self.domain.resolution)
        with fixed_threads(self.plan.request.threads):
            began = time.perf_counter()
            measure(inversions)  # what is computed once per data set
            if todo.new >= _WORTH_TIMING:
                began = time.perf_counter()
                # Codes that were not scored yet, since scores of pictures are cached.
                edits = self.domain.generator.synthesize(part.latents.codes * 0.9, noise="const")
                measure(edits)
            else:
                edits = inversions
            seconds = time.perf_counter() - began
            measure(edits)
            again = time.perf_counter() - began - seconds
        return (seconds * todo.new + again * todo.known) * images / len(part.ids)
