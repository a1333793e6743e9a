"""The contract of a method: its inputs and outputs. Read this file first.

A method subclasses `Editor` and is found through an entry point of the group ``textedit_bench.methods`` that names its
card, a `MethodInfo` (see `textedit_bench.info`). It knows nothing of data sets, metrics or the command line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from textedit_bench.info import MethodInfo
from textedit_bench.prompt import Prompt

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

__all__ = ["Editor", "Latents", "MethodInfo", "Prompt"]

Space = Literal["w+", "s"]


@dataclass(frozen=True)
class Latents:
    """A batch of latent codes with further inputs of methods.

    Attributes:
        codes: ``w+``: [B, rows, w_dim]; ``s``: [B, sum of style channels], toRGB included, in the order of the
            generator's ``style_layout``. float32.
        space: the space of ``codes``.
        w_plus: the source W+ codes [B, rows, w_dim] where ``codes`` are not W+ themselves.
        images: the photos [B, 3, H, W] in [-1, 1]; if None, a method that needs pictures synthesises them.
        ids: one stable name per image; seeds of per-image randomness come from it.
    """

    codes: Tensor
    space: Space
    w_plus: Tensor | None = None
    images: Tensor | None = None
    ids: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.space not in ("w+", "s"):
            raise ValueError(f"space must be 'w+' or 's', got {self.space!r}")
        dims = 3 if self.space == "w+" else 2
        if self.codes.ndim != dims:
            raise ValueError(f"codes of space {self.space!r} have {dims} axes, got shape {tuple(self.codes.shape)}")
        for name in ("w_plus", "images", "ids"):
            value = getattr(self, name)
            if value is not None and len(value) != len(self.codes):
                raise ValueError(f"{name} holds {len(value)} items for {len(self.codes)} codes")

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, index: slice | Tensor | Sequence[int]) -> Latents:
        """Select some of the batch, in the given order."""
        ids = None
        if self.ids is not None:
            picked = range(len(self))[index] if isinstance(index, slice) else [int(i) for i in index]
            ids = tuple(self.ids[i] for i in picked)
        keep = index if isinstance(index, slice) else torch.as_tensor(index, device=self.codes.device)
        return Latents(
            codes=self.codes[keep],
            space=self.space,
            w_plus=None if self.w_plus is None else self.w_plus[keep],
            images=None if self.images is None else self.images[keep],
            ids=ids,
        )

    def with_codes(self, codes: Tensor, space: Space | None = None) -> Latents:
        """Return the same images with other codes; the source W+ codes are kept."""
        source = self.w_plus if self.w_plus is not None else (self.codes if self.space == "w+" else None)
        return replace(self, codes=codes, space=space or self.space, w_plus=source)


class Editor:
    """One editing method on one domain.

    Subclasses set ``info`` and implement `edit` or `edit_sweep`, or `generate` if that is their only task. The runner
    synthesises the returned codes, with the same generator and noise for every method.
    """

    info: ClassVar[MethodInfo]

    def __init__(self, domain: Domain, **settings: Any) -> None:
        """Store the domain and validate the settings; others are taken from the card's presets and defaults.

        Raises:
            UserError: a setting the card does not know, or a value of another type.
        """
        self.info.check_settings(settings, training=True)
        self.domain = domain
        preset = self.info.preset(domain.tier, domain.card.kind) if self.info.presets else {}
        self.settings: dict[str, Any] = {
            **self.info.settings_for(domain.tier), **self.info.training, **preset, **settings,
        }  # fmt: skip

    def refusal(self, prompt: Prompt) -> str | None:
        """Return why the method does not support a prompt, in one sentence; None if it does.

        Called before any work: a method for hair only, or only for attributes that it was trained on, refuses others
        here. A bench counts the cell as not applicable and compares methods on common prompts.
        """
        return None

    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Latents | Tensor:
        """Edit every image of the batch towards one prompt.

        Args:
            latents: the images' codes; not modified.
            prompt: the prompt.
            strength: 0 returns the given codes (or the method's own inversion if ``info.own_inversion``), 1 is the
                published default.

        Returns:
            Edited `Latents`; a method that does not edit latents returns images [B, 3, H, W] in [-1, 1].

        Raises:
            UserError: codes of another space or generator, missing weights or files, or a prompt that is not supported.
        """
        if type(self).edit_sweep is Editor.edit_sweep:
            raise TypeError(f"{self.info.name} does not edit; its tasks are: {', '.join(self.info.tasks)}")
        return self.edit_sweep(latents, prompt, [strength])[0]

    def edit_sweep(self, latents: Latents, prompt: Prompt, strengths: Sequence[float]) -> Sequence[Latents | Tensor]:
        """Apply the same edit at several strengths; override this if one computation serves all."""
        return [self.edit(latents, prompt, strength) for strength in strengths]

    def fit(self, prompts: Sequence[Prompt] | None = None, **options: Any) -> None:
        """Train the method; does nothing if ``info.trains`` is ``"none"``."""

    def prepare(self, prompt: Prompt) -> None:
        """Compute what a prompt needs once, independent of images: its network, boundary or channels.

        Edits call it if necessary; a bench calls it first, so that it does not count as time of an edit.
        """

    def save(self, path: str | Path) -> None:
        """Write the trained weights; the default editor has none."""
        raise TypeError(f"{self.info.name} trains nothing, so there is nothing to save")

    def load(self, path: str | Path) -> None:
        """Read trained weights written by `save`."""
        raise TypeError(f"{self.info.name} trains nothing, so there is nothing to load")

    def lacks(self) -> str | None:
        """Return which files of its own the method lacks for the domain, in one sentence; None if none is missing.

        For a method that runs released networks alone; weights that can be trained are not meant.
        """
        return None

    @property
    def needs_weights(self) -> bool:
        """Return whether edits with these settings need weights of the method."""
        return self.info.trains != "none"

    def weights_path(self) -> Path | None:
        """Return the path of this method's own weights for the domain, shipped or trained here; None if it has none.

        Part of a cell's identity. Build it with `textedit_bench.assets.locate.weights_folder`.
        """
        return None

    def released_files(self) -> tuple[Path, ...]:
        """Return the authors' files for the domain, the weights first; empty unless all were downloaded.

        Part of a cell's identity where there are no weights of our own.
        """
        from textedit_bench.assets.locate import fetched

        names = self.info.released_for(self.domain.tier, self.domain.name)
        found = [fetched(name) for name in names]
        return tuple(path for path in found if path) if all(found) else ()

    def given_files(self) -> tuple[Path, ...]:
        """Return further files that edits depend on because settings name them; part of a cell's identity."""
        return ()

    def released_weights(self) -> Path | None:
        """Return the authors' file for `load` if there are no weights of our own, or None."""
        return next(iter(self.released_files()), None)

    @classmethod
    def load_network(cls, path: str | Path) -> nn.Module:
        """Read the OFFICIAL checkpoint of the method, or ours, and return the network.

        Its forward returns what the published network returns: the prediction itself, before the edit scales it.
        """
        raise TypeError(f"{cls.info.name} has no network of its own")

    def generate(self, prompt: Prompt, n: int, seed: int = 0) -> Latents | Tensor:
        """Generate ``n`` different images from the text alone, if ``"generate"`` is among the method's tasks.

        A bench calls it once per text.

        Args:
            prompt: the text; `Prompt.target` describes the whole picture.
            n: number of images; those of a smaller ``n`` need not be among those of a larger one.
            seed: made from method, prompt and the seed of the run; equal seeds give equal images.

        Returns:
            Codes; a method that does not generate latents returns images [n, 3, H, W] in [-1, 1].
        """
        raise TypeError(f"{self.info.name} does not generate from text; its tasks are: {', '.join(self.info.tasks)}")
