"""A method on a data set, with the inputs of checks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from textedit_bench.editor import Editor, Latents
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

IMAGES = 4
_RUN = {"progress": False, "preview_images": 0, "seed": 0, "logger": "csv"}


class Subject:
    """One method on one domain.

    Args:
        method: the editor class.
        domain: its domain.
        folder: folder of written files.
        settings: of the method, instead of its card's, including those of its training.
        train: whether to train it if it has no weights for this domain.
    """

    def __init__(
        self, method: type[Editor], domain: Domain, folder: Path, settings: Mapping[str, Any], train: bool
    ) -> None:
        self.method, self.info, self.domain = method, method.info, domain
        self._folder, self._settings, self.trainable = folder, dict(settings), train

    def on(self, device: str) -> Subject:
        """Return the same method on another device, including its training."""
        domain = type(self.domain)(self.domain.card, self.domain.tier, device)
        folder = self._folder / f"on-{device.replace(':', '-')}"
        folder.mkdir(parents=True, exist_ok=True)
        return Subject(self.method, domain, folder, self._settings, self.trainable)

    def new(self) -> Editor:
        """Construct the method on the domain, without weights.

        Raises:
            UserError: it does not support this domain.
        """
        served = self.info.datasets
        if served and self.domain.name not in served:
            raise UserError(f"{self.info.name} serves {', '.join(served)} only")
        return self.method(self.domain, **self._settings)

    def editor(self) -> Editor:
        """Construct a new editor and load its trained weights.

        Raises:
            UserError: it cannot edit.
        """
        editor = self.new()
        if self.weights is not None:
            editor.load(self.weights)
        return editor

    @cached_property
    def weights(self) -> Path | None:
        """Return the file of trained weights; None for a method that trains nothing.

        Raises:
            UserError: there are none.
        """
        if self.info.trains == "none":
            return None
        editor = self.new()
        stored = editor.weights_path()
        if stored is not None and stored.is_file():
            return stored
        if not self.trainable:
            raise UserError(f"{self.info.name} has no weights for {self.domain.name}, and its card no `trial` settings")
        return self.train(self._folder / "fit")

    def train(self, folder: Path) -> Path:
        """Train in a folder, or resume the training there, and return the weights."""
        editor = self.new()
        editor.fit(self.prompts if self.info.trains == "per-prompt" else None, folder=folder, **_RUN)
        path = folder / "weights.safetensors"
        editor.save(path)
        return path

    @cached_property
    def latents(self) -> Latents:
        """Inverted evaluation photos."""
        return self.domain.invert(self.domain.photos("evaluation", IMAGES))

    @cached_property
    def prompts(self) -> list[Prompt]:
        """Return one or two prompts without ground truth; one for a method that trains per prompt.

        From the evaluation split; from the training split if a method supports only prompts that it was trained on.

        Raises:
            UserError: it refuses all of them.
        """
        editor = self.new()
        found = [p for split in ("evaluation", "train") for p in self.domain.prompts(split).values()]
        refusals = {prompt.without_truth: editor.refusal(prompt.without_truth) for prompt in found}
        served = [prompt for prompt, refusal in refusals.items() if refusal is None]
        if not served:
            raise UserError(f"it serves none of the prompts: {next(iter(refusals.values()))}")
        return served[: 1 if self.info.trains == "per-prompt" else 2]

    def fresh_latents(self) -> Latents:
        """Copy the latents."""
        kept = self.latents
        images = None if kept.images is None else kept.images.clone()
        return Latents(kept.codes.clone(), kept.space, images=images, ids=kept.ids)

    def edit(self, strength: float = 1.0, prompt: Prompt | None = None, latents: Latents | None = None) -> Any:
        """Edit once with a new editor and a fixed seed."""
        return self.seeded(self.editor(), strength, prompt, latents)

    def seeded(
        self, editor: Editor, strength: float = 1.0, prompt: Prompt | None = None, latents: Latents | None = None
    ) -> Any:
        """Edit once with a fixed seed of torch, like the runner; the random state is restored."""
        latents, prompt = latents or self.fresh_latents(), prompt or self.prompts[0]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return self.run(editor, strength, prompt, latents)

    def run(self, editor: Editor, strength: float, prompt: Prompt, latents: Latents) -> Any:
        """Edit once; for a method that only generates, generate instead."""
        if "edit" in self.info.tasks:
            return editor.edit(latents, prompt, strength)
        return editor.generate(prompt, len(latents))

    @torch.no_grad()
    def pictures(self, edit: Latents | Tensor) -> Tensor:
        """Return the pictures of an edit, [B, 3, H, W] clipped to [-1, 1]."""
        shown = self.domain.generator.synthesize(edit, noise="const") if isinstance(edit, Latents) else edit
        return shown.detach().clamp(-1, 1)

    @cached_property
    def usual_edit(self) -> Any:
        """Edit by the first prompt at the default strength, with a new editor."""
        return self.edit(self.info.strength_default)

    @cached_property
    def usual(self) -> Tensor:
        """Return the pictures of the usual edit."""
        return self.pictures(self.usual_edit)

    @cached_property
    def base(self) -> Tensor:
        """Return the pictures of the given codes."""
        return self.pictures(self.latents)

    def differ(self, found: Tensor, wanted: Tensor) -> float:
        """Compute the largest mean absolute difference of two batches' pictures per image, in units of [-1, 1]."""
        return float((found - wanted).abs().flatten(1).mean(1).max()) if found.shape == wanted.shape else float("inf")

    @property
    def tolerance(self) -> float:
        """Tolerance of equal pictures: half a grey level of 255, or 2 % of an edit's change.

        Optimisers enlarge the rounding errors that come with another batch size; a picture that depends on its
        neighbours differs by far more.
        """
        return max(1 / 255, 0.02 * self.differ(self.usual, self.base))
