"""Controls as editors: pictures from data of the runner, with expected scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from torch import Tensor

from textedit_bench.controls.cards import (
    COPY_PHOTO,
    NO_EDIT,
    RANDOM_DIRECTION,
    REAL_ATTRIBUTE,
    WRONG_PROMPT,
    ControlInfo,
)
from textedit_bench.devices import sent
from textedit_bench.editor import Editor, Latents, Space
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt
from textedit_bench.seeds import seed_of

if TYPE_CHECKING:
    from textedit_bench.bench.infer import CellMaterial
    from textedit_bench.report.control_checks import Finding, RowScores


class Control(Editor):
    """A control; subclasses set ``info`` and implement `edit` and `expect`."""

    info: ClassVar[ControlInfo]

    def make(self, material: CellMaterial) -> Control:
        """Create the control for some images of a cell, with data of the runner.

        Raises:
            NotApplicableError: what it needs is not there.
        """
        return self

    @classmethod
    def expect(cls, scores: RowScores) -> Iterator[Finding]:
        """Return expectations for the scores of its row, and whether they hold."""
        raise NotImplementedError


EXACT = 1e-5
"""Rounding allowed where a value is known: embeddings are float32."""
NOWHERE = 0.1
"""A direction (cosine) up to which a step counts as going nowhere, where no anchor gives the scale."""
SHARE = 0.25
"""Share of the anchor's effect below which an effect counts as none."""


def unchanged(scores: RowScores, against: str, text: str) -> Iterator[Finding]:
    """Expect pictures that equal their reference.

    Args:
        scores: the control's.
        against: end of the names of metrics that compare pictures.
        text: end of the names of metrics that compare with the text.
    """
    for name, wanted in ((f"lpips{against}", 0.0), (f"identity{against}", 1.0), (f"clip_gain{text}", 0.0)):
        values = scores.row.counted(name)
        if len(values):
            away = float(np.abs(values - wanted).max())
            yield f"{name} = {wanted:g}", f"largest deviation {away:.3g}", away <= EXACT * 100 ** (name[0] == "c")
    for name, state in ((f"psnr{against}", "identical"), (f"clip_direction{text}", "no change")):
        if count := scores.count(name):
            other = len(scores.row.counted(name))
            yield f"{name}: {state}", f"{other} of {count} have a value", other == 0


def no_effect(scores: RowScores) -> Iterator[Finding]:
    """Expect no effect of edits that are unrelated to the prompt."""
    for name, limit in (("clip_direction", NOWHERE), ("clip_gain", None)):
        top = scores.truth.mean(name) if scores.truth is not None else np.nan
        bound = max(limit or 0.0, SHARE * top) if np.isfinite(top) else limit
        found = scores.interval(name)
        if found is None or bound is None:
            continue
        mean, low, _ = found
        yield f"{name} at most {bound:.3g}", f"{mean:.3g}, interval from {low:.3g}", low <= bound


class CopyPhoto(Control):
    """Returns the photos: best on every measure of preservation, without any effect."""

    info = COPY_PHOTO

    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Tensor:
        """Return the photos [B, 3, H, W] in [-1, 1], for any prompt and strength.

        Raises:
            UserError: the codes come without photos.
        """
        if latents.images is None:
            raise UserError("copy-photo needs the photos; the given codes have none")
        return latents.images

    @classmethod
    def expect(cls, scores: RowScores) -> Iterator[Finding]:
        """Expect no loss, including the photos' distribution."""
        yield from unchanged(scores, "", "_photo")
        if (distance := scores.distance_to_photos()) is not None:
            yield "fid_source = 0", f"{distance:.3g}", distance <= 1e-3


class NoEdit(Control):
    """Returns the given codes, so its pictures are the inversions."""

    info = NO_EDIT

    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Latents:
        """Return the given `latents`, for any prompt and strength."""
        return latents

    @classmethod
    def expect(cls, scores: RowScores) -> Iterator[Finding]:
        """Expect no difference from the inversion."""
        return unchanged(scores, "_inversion", "")


SEEN = 0.9
"""Success that pictures with the attribute must reach, within their interval."""


class WrongPrompt(Control):
    """Shows a method's edits of the same photos for another prompt.

    It edits well, but not what was asked: judges must react to the text, not to traces of editing.
    """

    info = WRONG_PROMPT
    pictures: Mapping[float, Mapping[str, Tensor]] = {}
    """Strength -> image id -> picture [3, H, W] in [-1, 1]."""

    def make(self, material: CellMaterial) -> WrongPrompt:
        """Create the control with the edits of the copied cell."""
        made = copy(self)
        made.pictures = material.edits() if material.copies else {}
        return made

    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Tensor:
        """Return the stored pictures [B, 3, H, W] of this strength.

        Raises:
            UserError: there is none for the strength or for an image.
        """
        return _shown(self, latents, self.pictures.get(strength, {}))

    @classmethod
    def expect(cls, scores: RowScores) -> Iterator[Finding]:
        """Expect no effect, and the distances of its method, since only the text of the metrics differs."""
        yield from no_effect(scores)
        for name in ("lpips", "identity"):
            own, theirs = scores.mean(name), scores.copied.mean(name) if scores.copied is not None else np.nan
            if np.isfinite(own) and np.isfinite(theirs):
                yield f"{name} as its method: {theirs:.5f}", f"{own:.5f}", abs(own - theirs) <= EXACT


class RealAttribute(Control):
    """Shows the same subject rendered with the requested attribute, without generator or encoder.

    What it scores is the top of every effect scale.
    """

    info = REAL_ATTRIBUTE
    pictures: Mapping[str, Tensor] = {}
    """Image id -> picture [3, H, W] in [-1, 1]."""

    def make(self, material: CellMaterial) -> RealAttribute:
        """Create the control with renders that have the requested attribute."""
        made = copy(self)
        made.pictures = material.truth()
        return made

    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Tensor:
        """Return the given pictures [B, 3, H, W] at any strength.

        Raises:
            UserError: there is none for an image.
        """
        return _shown(self, latents, self.pictures)

    @classmethod
    def expect(cls, scores: RowScores) -> Iterator[Finding]:
        """Expect full success."""
        if found := scores.interval("success"):
            yield f"success at least {SEEN:g}", f"{found[0]:.3g}, interval to {found[2]:.3g}", found[2] >= SEEN
        if found := scores.interval("clip_gain_photo"):
            yield "clip_gain_photo at least 0", f"{found[0]:.3g}, interval to {found[2]:.3g}", found[2] > 0.0


def _shown(control: Control, latents: Latents, pictures: Mapping[str, Tensor]) -> Tensor:
    if latents.ids is None or any(name not in pictures for name in latents.ids):
        raise UserError(f"{control.info.name} shows pictures that a bench has; there are none of these images")
    return torch.stack([pictures[name] for name in latents.ids])


_W_SAMPLES = 1024


class RandomDirection(Control):
    """Adds one isotropic random step per (image, prompt, seed); strength multiplies it.

    Every W+ row, or style vector of the generator's layers, moves as far as the compared method moves it in the same
    image. Alone, every W+ row moves by the root mean square distance of the generator's own w from their centre, so
    that a step is as long as a typical sample is far out.
    """

    info = RANDOM_DIRECTION
    space: Space = "w+"
    lengths: Mapping[str, Sequence[float]] | None = None
    """Image id -> one length per W+ row or style vector, at strength 1."""

    def make(self, material: CellMaterial) -> RandomDirection:
        """Create the control with the lengths of the copied cell's steps."""
        made = copy(self)
        if material.copies:
            made.space, made.lengths = material.step_lengths()
        return made

    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Latents:
        """Return the given W+ codes plus ``strength`` times the random step; strength 0 returns the codes unchanged."""
        if strength == 0:
            return latents
        source = latents.codes
        if self.space != latents.space:
            source = self.domain.generator.to_style(source)
        names = latents.ids if latents.ids is not None else [str(i) for i in range(len(source))]
        drawn = [self._step(code, name, prompt) for code, name in zip(source, names, strict=True)]
        steps = sent(torch.stack(drawn), source.device, source.dtype)
        return latents.with_codes(source + strength * steps, self.space)

    @classmethod
    def expect(cls, scores: RowScores) -> Iterator[Finding]:
        """Expect no effect."""
        return no_effect(scores)

    def _step(self, code: Tensor, image_id: str, prompt: Prompt) -> Tensor:
        """Draw one step of the shape of ``code``, on the CPU so that devices agree."""
        seed = seed_of(control=self.info.name, image=image_id, prompt=prompt.target, seed=self.settings["seed"])
        noise = torch.randn(code.shape, generator=torch.Generator().manual_seed(seed))
        widths = [layer.channels for layer in self.domain.generator.style_layout]
        parts = list(noise) if code.ndim == 2 else list(noise.split(widths))
        lengths = self.lengths[image_id] if self.lengths is not None else [self._typical_length] * len(parts)
        scaled = [part / part.norm() * length for part, length in zip(parts, lengths, strict=True)]
        return torch.stack(scaled) if code.ndim == 2 else torch.cat(scaled)

    @cached_property
    @torch.no_grad()
    def _typical_length(self) -> float:
        """Root mean square distance of w from its centre, measured once on seeded samples."""
        generator = self.domain.generator
        z = torch.randn(_W_SAMPLES, generator.z_dim, generator=torch.Generator().manual_seed(0))
        w = generator.map(sent(z, next(generator.parameters()).device))
        return float((w - w.mean(0)).square().sum(-1).mean().sqrt())
