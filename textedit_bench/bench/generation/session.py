"""Generate, store and score the pictures of one data set: the same steps as for edits, without photos."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from textedit_bench.bench.cell import MANIFEST, Cell, ImageSet, Manifest
from textedit_bench.bench.generation.judges import GenerationJudges
from textedit_bench.bench.infer import Edits, publish_edits
from textedit_bench.bench.inputs import picture_features
from textedit_bench.bench.kept import CellPictures
from textedit_bench.bench.pictures import Pixels, to_uint8
from textedit_bench.bench.plan import DatasetPlan, MethodPlan
from textedit_bench.bench.prompts import PlannedPrompt
from textedit_bench.bench.scoring import KEYS, has_features, publish_scores
from textedit_bench.bench.session import DatasetSession, Todo
from textedit_bench.bench.shards import Shard, pass_size
from textedit_bench.bench.store import ResultFolder, Store
from textedit_bench.editor import Latents
from textedit_bench.seeds import seed_of

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.metrics.suite import Suite


FOLDER = "_generated"
"""Folder next to those of methods; tables of edits ignore names that begin with ``_``."""


class GenerationStore(Store):
    """The results folder for generated pictures: ``<root>/<tier>/<dataset>/_generated/<digest>/``."""

    def cell(self, cell: Cell) -> ResultFolder:
        """Return the folder of a cell."""
        return ResultFolder(self.method(cell.tier, cell.dataset, FOLDER), cell.identity())

    def _cells(self, tier: str, dataset: str = "*") -> list[Path]:
        """List the folders of a tier, or of one data set, that may be cells."""
        return sorted(path.parent for path in (self.root / tier).glob(f"{dataset}/{FOLDER}/*/{MANIFEST}"))


TASK = "generate"
STRENGTH = 1.0
"""Generated pictures have no strength; records and tables use this one."""


class GenerationSession(DatasetSession):
    """The shared state of one data set: domain, reference features, evaluation networks, editors."""

    def __init__(self, plan: DatasetPlan, store: Store, domain: Domain, suite: Suite) -> None:
        super().__init__(plan, store, domain, suite)
        self._judges = GenerationJudges(domain, suite)
        self.protocols = self._judges.to_json()
        self._ids = tuple(f"draw-{i:05d}" for i in range(plan.images))

    @staticmethod
    def reason(plan: DatasetPlan, method: MethodPlan) -> str:
        """Return why a method generates nothing on the data set, whatever its weights; empty if it does."""
        info, served = method.info, method.info.datasets
        if TASK not in info.tasks:
            return f"{info.name} does not generate; its tasks are: {', '.join(info.tasks)}"
        return f"{info.name} supports only {', '.join(served)}" if served and plan.card.name not in served else ""

    def cell(self, method: MethodPlan, prompt: PlannedPrompt, matched_to: Cell | None = None) -> Cell:
        """Create the cell of a method and a prompt.

        Raises:
            NotApplicableError: the method does not generate, does not support this data set, or has no weights.
        """
        cell = super().cell(method, prompt)
        drawn = ImageSet("generated", len(self._ids), "none")
        return replace(cell, images=drawn, strengths=(STRENGTH,), default_strength=STRENGTH)

    def estimate(self, todo: Todo) -> float:
        """Return no estimate: the cost of generation depends on the method."""
        return 0.0

    def _cut(self, images: int) -> list[Shard]:
        """Return one shard: all pictures of a text are scored together."""
        return [Shard(0, images)]

    def _compute(
        self, folder: ResultFolder, cell: Cell, method: MethodPlan, shard: Shard, manifest: Manifest | None
    ) -> None:
        if manifest is None:
            pixels = self._generate(folder, cell, method)
        else:
            pixels = CellPictures(folder.path, manifest, lambda: self.domain).read(self._ids, cell.strengths)[0]
        self._judge(folder, cell, pixels)

    def _generate(self, folder: ResultFolder, cell: Cell, method: MethodPlan) -> Pixels:
        """Generate and store every picture of a cell; torch's random state is seeded and restored."""
        meter = self._meter()
        editor = self._editor(method)
        seed = seed_of(cell=cell.digest, seed=cell.seed)
        devices = [self.domain.device] if self.domain.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices), meter.timed("edit"):
            torch.manual_seed(seed)
            drawn = editor.generate(cell.prompt.without_truth, len(self._ids), seed % 2**32)
        numbers = drawn.codes if isinstance(drawn, Latents) else drawn
        if len(numbers) != len(self._ids) or not torch.isfinite(numbers).all():
            raise ValueError(
                f"{cell.method} generated {len(numbers)} pictures instead of {len(self._ids)}, or nan or infinity"
            )
        with meter.timed("synthesise"), torch.no_grad():
            pixels = self._shown(drawn)
        if isinstance(drawn, Latents):
            made = Edits([pixels], [numbers.detach().float().cpu()], drawn.space)
        else:
            made = Edits([pixels], None, "image")
        request = self.plan.request
        inputs = replace(self.inputs, ids=self._ids)
        publish_edits(folder, cell, inputs, self._ids, made, meter, request, command=request.command)
        return pixels

    def _shown(self, drawn: Latents | Tensor) -> Pixels:
        """Synthesise the 8-bit pictures in passes; refuses pictures of another size."""
        if not isinstance(drawn, Latents):
            side = self.domain.resolution
            if tuple(drawn.shape[1:]) != (3, side, side):
                raise ValueError(f"generated pictures have shape {tuple(drawn.shape)}, the data set's side is {side}")
            return to_uint8(drawn.detach())
        make = self.domain.generator.synthesize if drawn.space == "w+" else self.domain.generator.synthesize_style
        parts = drawn.codes.split(pass_size(self.domain.resolution))
        return np.concatenate([to_uint8(make(codes, noise="const")) for codes in parts])

    def _judge(self, folder: ResultFolder, cell: Cell, pixels: Pixels) -> None:
        """Score the pictures of a cell and store the records."""
        manifest = folder.manifest()
        assert manifest is not None
        meter = self._meter()
        with meter.timed("score"):
            columns = self._judges.score(pixels, cell.prompt)
            features = picture_features(self.suite, self.domain, pixels) if has_features(self.suite) else None
        axes = {"tier": cell.tier, "dataset": cell.dataset, "method": cell.method, "prompt_id": cell.prompt_id}
        parts = [
            pd.DataFrame({"image": list(self._ids), "value": column.values, "state": column.states}).assign(
                metric=metric, protocol=self._judges.protocols[metric].id, strength=STRENGTH, seed=cell.seed, **axes
            )
            for metric, column in columns.items()
        ]
        records = pd.concat(parts, ignore_index=True)[[*KEYS, "value", "state", "protocol", "tier"]]
        records = records.sort_values(KEYS, kind="stable", ignore_index=True)
        cost = [*manifest.infer.cost, *meter.rows(len(self._ids))]
        publish_scores(folder, cell, self.protocols, records, None if features is None else features[None], cost)
