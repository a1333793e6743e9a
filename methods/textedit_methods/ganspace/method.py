"""GANSpace: a step along one principal component of W, on some rows of W+."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.editor import Latents
from textedit_bench.errors import UserError, unknown_choice
from textedit_bench.files import sha256
from textedit_bench.offset_editor import OffsetEditor
from textedit_bench.prompt import Prompt
from textedit_bench.typed_editor import once_per_prompt
from textedit_methods.ganspace.card import CARD, Settings
from textedit_methods.ganspace.components import Components, spread
from textedit_methods.ganspace.named import NAMED, Edit
from textedit_methods.ganspace.picking import effects, pick, row_ranges
from textedit_methods.ganspace.released import read_components

log = logging.getLogger(__name__)

_BATCH = 2000
"""Samples at a time, as released; three times the components where those are more."""
_SPREAD_SAMPLES = 5000
"""Further samples, as released, that say how wide a component is."""
_WRITTEN_OUT = re.compile(r"(\d+):(\d+)-(\d+):([+-]?\d+(?:\.\d+)?)")


class GANSpace(OffsetEditor[Settings]):
    """Moves a range of rows by strength * deviations along one component of W; other rows are unchanged.

    Components and what CLIP sees of them are found once per generator. A prompt costs a product.
    """

    info = CARD

    # -- editing -----------------------------------------------------------------------------------------------------
    def offset(self, latents: Latents, prompt: Prompt) -> Tensor:
        """Return the offset at strength 1, [B, rows, w_dim].

        The forms that look at the code go a part of the way at lower strengths (ours).
        """
        whole = torch.zeros_like(latents.codes)
        for edit in self.edits_for(prompt):
            change = self.components.offset(latents.codes, edit.component, edit.deviations, edit.form)
            whole[:, edit.start : edit.end] += change
        return whole

    def prepare(self, prompt: Prompt) -> None:
        """Select the prompt's component."""
        self.edits_for(prompt)

    @once_per_prompt
    @torch.no_grad()
    def edits_for(self, prompt: Prompt) -> tuple[Edit, ...]:
        """Return components, rows, deviations and form of a prompt; computed and logged once.

        Raises:
            UserError: target and source are the same to CLIP, or an edit that is asked for is unknown.
        """
        edits = (self._named(self.values.named),) if self.values.named else self._picked(prompt)
        for edit in edits:
            where = f"component {edit.component}, rows {edit.start} to {edit.end - 1}"
            log.info("%s: %r moves %s, by %+.3g deviations", CARD.name, prompt.words, where, edit.deviations)
        self.components.to(self.domain.device)  # edits follow
        return edits

    def _picked(self, prompt: Prompt) -> tuple[Edit, ...]:
        source = prompt.source if prompt.source is not None else self.domain.card.neutral
        target, origin = (F.normalize(self.embed_text(text), dim=-1).cpu() for text in (prompt.target, source))
        if (target - origin).norm() < 1e-6:
            raise UserError(f"prompt: target {prompt.target!r} and source {source!r} are the same to CLIP")
        values, ranges = self.values, row_ranges(self.domain.generator.num_rows)
        found = pick(self.effects, target - origin, values.rule, values.picks)
        return tuple(Edit(one.component, *ranges[one.range], one.weight * values.step, values.form) for one in found)

    def _named(self, asked: str) -> Edit:
        """Return a published edit, or an explicitly specified one."""
        if written := _WRITTEN_OUT.fullmatch(asked):
            component, start, end = (int(number) for number in written.groups()[:3])
            edit = Edit(component, start, end, float(written[4]), self.values.form)
        elif not self.values.file:
            raise UserError(f"named of {CARD.name}: a published name needs the published components; name their file")
        elif asked not in NAMED.get(self.domain.name, {}):
            raise unknown_choice(f"named of {CARD.name}", asked, NAMED.get(self.domain.name, {}))
        else:
            edit = NAMED[self.domain.name][asked]
        kept, rows = len(self.components.std), self.domain.generator.num_rows
        if edit.component >= kept:
            raise UserError(f"named of {CARD.name}: component {edit.component}; valid: 0 to {kept - 1}")
        if not edit.start < edit.end <= rows:
            raise UserError(f"named of {CARD.name}: rows {edit.start}-{edit.end}; valid: START < END, at most {rows}")
        return edit

    # -- components --------------------------------------------------------------------------------------------------
    @cached_property
    def components(self) -> Components:
        """Return the authors' components, or those of this generator.

        Raises:
            UserError: the file is damaged or another generator's.
        """
        if self.values.file:
            found = read_components(Path(self.values.file))
            width, w_dim = found.comp.shape[1], self.domain.generator.w_dim
            if width != w_dim:
                raise UserError(f"{self.values.file}: components of width {width}; {self.domain.name} has {w_dim}")
            return found
        from textedit_bench.training.prepared import prepared

        axes = (self.values.components, self.values.samples, self.values.estimator, self.values.seed)
        return Components(**prepared(self.domain, "components", ("generator",), axes, self._decompose))

    @torch.no_grad()
    def _decompose(self) -> dict[str, Tensor]:
        from textedit_bench.training.principal import exact, incremental

        values, count = self.values, min(self.values.components, self.domain.generator.w_dim)
        batch = max(_BATCH, 3 * count)
        estimate = exact if values.estimator == "exact" else incremental
        found = estimate(self._samples(values.samples, batch), count)
        log.info("%s: %d components hold %.1f %% of W's variance", CARD.name, count, 100 * float(found.ratio.sum()))
        others = torch.cat(list(self._samples(_SPREAD_SAMPLES, batch, stream=1))).cpu()
        return {"mean": found.mean.float(), "comp": found.comp.float(), "std": spread(found.comp, others).float()}

    def _samples(self, count: int, batch: int, stream: int = 0) -> Iterator[Tensor]:
        """Iterate over untruncated W codes [up to ``batch``, w_dim] on the domain's device."""
        from textedit_bench.training.codes import w_samples

        return w_samples(self.domain, count, batch, 2 * self.values.seed + stream)

    @cached_property
    def effects(self) -> Tensor:
        """Compute CLIP's change for every component and row range, [k, ranges, d]."""
        from textedit_bench.training.prepared import prepared

        values = self.values
        origin = sha256(Path(values.file)) if values.file else [values.components, values.samples, values.estimator]
        axes = (origin, values.images, values.width, values.seed)
        return prepared(self.domain, "effects", ("generator", "clip"), axes, self._look)["effects"]

    @torch.no_grad()
    def _look(self) -> dict[str, Tensor]:
        domain, values = self.domain, self.values
        codes = domain.generator.broadcast(next(self._samples(values.images, values.images)))
        return {"effects": effects(domain.generator, domain.clip, self.components, codes, values.width)}

    # -- the authors' files ------------------------------------------------------------------------------------------
    def released_files(self) -> tuple[Path, ...]:
        """The authors' components where a setting names them; an error if there is no such file."""
        return self.given_file("file")

    def released_weights(self) -> None:
        """Return None: the file is read if a setting names it."""

    @classmethod
    def load_network(cls, path: str | Path) -> Components:
        """Load the authors' components; called with codes, component, rows and deviations they apply the edit."""
        return read_components(Path(path))
