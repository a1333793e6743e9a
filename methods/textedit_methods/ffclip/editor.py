"""FFCLIP behind the editor's contract."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from textedit_bench.editor import Editor, Latents
from textedit_bench.errors import UserError
from textedit_bench.models.packing import exact_precision, round_to
from textedit_bench.models.storage import save_network
from textedit_bench.prompt import Prompt
from textedit_bench.weights import weights_folder
from textedit_methods.ffclip.card import CARD
from textedit_methods.ffclip.checkpoint import load_mapper
from textedit_methods.ffclip.network import DynamicMapper
from textedit_methods.ffclip.presets import preset
from textedit_methods.ffclip.prompts import training_phrases
from textedit_methods.ffclip.texts import TextEmbeddings

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

log = logging.getLogger(__name__)

_CHUNK = 16
_VALIDATION_CODES = 64
_PUBLISHED_MILESTONES = (0.5, 0.75, 0.9, 0.95)


class FFCLIP(Editor):
    """One mapper for all phrases: edited code = code + strength * mapper(code, text embedding)."""

    info = CARD

    def __init__(self, domain: Domain, **settings: Any) -> None:
        """Settings not given come from the data set's preset, then from the card.

        Raises:
            UserError: an unknown setting, or one of another type.
        """
        super().__init__(domain, **{**preset(domain.tier, domain.card.kind), **settings})
        self._network: DynamicMapper | None = None
        self._texts: TextEmbeddings | None = None

    # -- editing -----------------------------------------------------------------------------------------------------
    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Latents:
        """Add ``strength`` times the predicted offset to the W+ codes.

        Raises:
            UserError: the mapper is not trained for this domain, or does not fit it.
        """
        return self.edit_sweep(latents, prompt, [strength])[0]

    def edit_sweep(  # type: ignore[override]
        self, latents: Latents, prompt: Prompt, strengths: Sequence[float]
    ) -> list[Latents]:
        """The same offset at several strengths."""
        if not any(strengths):
            return [latents for _ in strengths]
        codes = latents.codes if latents.space == "w+" else latents.w_plus
        if codes is None:
            raise UserError("ffclip edits W+ codes; these latents are style codes without their W+ codes")
        offset = self.offset(codes, prompt)
        return [latents.with_codes(codes + s * offset, "w+") if s else latents for s in strengths]

    @torch.no_grad()
    def offset(self, codes: Tensor, prompt: Prompt) -> Tensor:
        """What is added at strength 1, [B, rows, d].

        Computed in double precision where the device has it: in single precision the row norm can enlarge rounding
        errors so far that an image's edit would depend on the batch it is in.
        """
        network = self.network
        if codes.shape[1:] != (network.rows, network.dim):
            raise UserError(
                f"this FFCLIP mapper edits codes of {network.rows} rows and width {network.dim}; "
                f"{self.domain.name} has {tuple(codes.shape[1:])}"
            )
        precise = torch.float32 if codes.device.type == "mps" else torch.float64
        network = network.to(codes.device, precise)
        text = self.text_embeddings([prompt.words]).to(codes.device, precise)
        parts = [network(part.to(precise), text.expand(len(part), -1)) for part in codes.split(_CHUNK)]
        return torch.cat(parts).to(codes.dtype) if parts else torch.zeros_like(codes)

    @property
    def network(self) -> DynamicMapper:
        """The trained mapper.

        Raises:
            UserError: there is none yet.
        """
        if self._network is None:
            raise UserError(
                f"ffclip has no trained weights for {self.domain.name}, tier {self.domain.tier} "
                f"(expected {self.weights_path()}); train them with: "
                f"textedit-bench train --method ffclip --dataset {self.domain.name}"
            )
        return self._network

    def text_embeddings(self, texts: Sequence[str]) -> Tensor:
        """Raw CLIP embeddings [T, d] of phrases."""
        if self._texts is None:
            self._texts = TextEmbeddings(self.domain.clip)
        return self._texts(texts)

    # -- weights -----------------------------------------------------------------------------------------------------
    def weights_path(self) -> Path:
        """The committed (or locally trained) weights of this data set and tier."""
        name = f"{self.domain.name}-{self.domain.tier}.safetensors"
        return weights_folder("textedit_methods.ffclip", self.domain) / name

    def save(self, path: str | Path) -> None:
        """Write the mapper, in the narrowest form that loses nothing."""
        network = self.network.float()
        save_network(network, path, "ffclip", exact_precision(network.state_dict()))

    def load(self, path: str | Path) -> None:
        """Read a mapper written by `save`, or a released one.

        Raises:
            UserError: the file holds no mapper.
        """
        self._network = load_mapper(path)

    @classmethod
    def load_network(cls, path: str | Path) -> DynamicMapper:
        """The mapper of a released checkpoint or of ours: (W+ [B, rows, d], raw text embedding [B, d]) -> offset."""
        return load_mapper(path)

    # -- training ----------------------------------------------------------------------------------------------------
    def fit(self, prompts: Sequence[Prompt] | None = None, **options: Any) -> None:
        """Train the mapper; afterwards this editor uses it. `save` keeps it.

        Args:
            prompts: train on their phrases instead of the card's training prompts.
            options: settings of the method for this run, and the fields of `textedit_bench.training.RunOptions`.

        Raises:
            UserError: unknown option, value out of range, no training prompts, or a CLIP whose width is not that of W.
        """
        from textedit_bench.training import LatentData, RunOptions, inverted_by, train, training_codes
        from textedit_methods.ffclip.losses import LossWeights
        from textedit_methods.ffclip.training import FFCLIPTraining, active_weights

        began = time.monotonic()
        run, own = RunOptions.split(options)
        chosen = type(self)(self.domain, **{**self.settings, **own}).settings
        phrases = training_phrases(self.domain, prompts)
        rows, dim = self._sizes()
        weights, reasons = active_weights(LossWeights.from_settings(chosen), self.domain)
        if not any(vars(weights).values()):
            raise UserError("all weights of ffclip that this tier can use are 0: there is nothing to learn")
        codes = training_codes(self.domain, chosen["codes"], chosen["num_codes"], run.seed, run.folder / "codes")
        held_out = min(_VALIDATION_CODES, len(codes) // 4)
        data = LatentData(
            codes,
            batch_size=chosen["batch_size"],
            steps_per_epoch=chosen["steps_per_epoch"],
            choice_weights=torch.tensor(list(phrases.values())),
            validation=held_out,
            seed=run.seed,
        )
        for reason in reasons:  # told once nothing can be refused any more
            log.warning("ffclip: %s", reason)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(run.seed)
            network = DynamicMapper(rows, dim, final_slope=chosen["final_slope"], start_scale=chosen["start_scale"])
        epochs = chosen["epochs"]
        module = FFCLIPTraining(
            network,
            self.domain,
            codes=codes,
            texts=self.text_embeddings(list(phrases)),
            weights=weights,
            clip_preprocessing=chosen["clip_preprocessing"],
            titles=list(phrases),
            preview_codes=codes[-held_out:][: run.preview_images],
            learning_rate=chosen["learning_rate"],
            # the released loop stops one epoch short of the 20 that its milestones are fractions of
            milestones=[int((epochs + 1) * part) for part in _PUBLISHED_MILESTONES],
            warmup_steps=chosen["warmup_steps"],
            ema_decay=chosen["ema_decay"],
            seed=run.seed,
        )
        result = train(
            module,
            data,
            run,
            name=f"ffclip/{self.domain.name}-{self.domain.tier}",
            identity={
                "method": "ffclip",
                "version": self.info.version,
                "settings": chosen,
                "phrases": phrases,
                "networks": {role: self.domain.digest(role) for role in _roles(self.domain)},
                **inverted_by(self.domain),
            },
            epochs=epochs,
            gradient_clip=chosen["gradient_clip"],
            preparation_seconds=time.monotonic() - began,
        )
        if not result.finished:
            log.warning("ffclip: stopped before the end; the same command goes on from %s", result.folder)
        self._network = _rounded(module.trained_network())

    def _sizes(self) -> tuple[int, int]:
        """Rows and width of the mapper for this domain."""
        generator, clip = self.domain.generator, self.domain.clip
        if clip.embed_dim != generator.w_dim:
            raise UserError(
                f"ffclip needs a CLIP whose width is that of W: {self.domain.name}, tier {self.domain.tier}, has "
                f"{clip.embed_dim} and {generator.w_dim}"
            )
        return generator.num_rows, generator.w_dim


def _roles(domain: Domain) -> list[str]:
    """The networks that decide what is learnt."""
    return [role for role in ("generator", "encoder", "clip", "identity", "parser") if domain.has(role)]


def _rounded(network: Any) -> DynamicMapper:
    """The mapper with its weights rounded to 8 bits, so that what is evaluated is exactly what `save` keeps."""
    round_to(network, "int8")
    mapper: DynamicMapper = network.eval().requires_grad_(False)
    return mapper
