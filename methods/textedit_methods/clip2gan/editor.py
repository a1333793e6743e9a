"""CLIP2GAN behind the editor's contract, and its variant that starts from the given inversion."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from textedit_bench.devices import sent
from textedit_bench.editor import Editor, Latents
from textedit_bench.errors import UserError
from textedit_bench.models.batches import images_at_once
from textedit_bench.models.errors import CheckpointError
from textedit_bench.models.packing import exact_precision
from textedit_bench.models.storage import build_network, is_safetensors, read_tensors, save_network
from textedit_bench.prompt import Prompt
from textedit_bench.ranges import MACHINE, check_whole
from textedit_bench.seeds import seed_of
from textedit_bench.weights import weights_folder
from textedit_methods.clip2gan.card import CARD, CARD_E4E
from textedit_methods.clip2gan.choosing import choose_distinct
from textedit_methods.clip2gan.network import ClipMapping
from textedit_methods.clip2gan.noise import add_noise, unit
from textedit_methods.clip2gan.presets import preset
from textedit_methods.clip2gan.rows import read_rows

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

log = logging.getLogger(__name__)

GUIDING = "guiding"
_CHUNK = 32
"""Pictures per pass where memory allows them."""


class CLIP2GAN(Editor):
    """W+ codes from CLIP features: of a photo (inversion), of a text (generation), or their weighted sum (editing)."""

    info = CARD

    def __init__(self, domain: Domain, **settings: Any) -> None:
        """Settings not given come from the data set's preset, then from the card.

        Raises:
            UserError: an unknown setting, one of another type, or a value outside its list.
        """
        super().__init__(domain, **{**preset(domain.tier, domain.card.kind), **settings})
        self._network: ClipMapping | None = None

    # -- editing -----------------------------------------------------------------------------------------------------
    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Latents:
        """Add ``strength * beta`` times the text's direction to the starting codes.

        Raises:
            UserError: the mapping network is not trained for this domain, or does not fit it.
        """
        return self.edit_sweep(latents, prompt, [strength])[0]

    @torch.no_grad()
    def edit_sweep(self, latents: Latents, prompt: Prompt, strengths: Sequence[float]) -> list[Latents]:
        """The same direction at several strengths."""
        start = self.starting_codes(latents)
        step = torch.zeros_like(start)
        if any(strengths):
            rows = sent(torch.tensor(read_rows(self.settings["rows"], start.shape[1])), start.device)
            step[:, rows] = float(self.settings["beta"]) * self.direction(prompt).to(start)[rows]
        return [latents.with_codes(start + strength * step, "w+") for strength in strengths]

    def starting_codes(self, latents: Latents) -> Tensor:
        """M(C_img(x)), the method's own inversion [B, rows, w_dim]: the picture goes through CLIP."""
        images = latents.images if latents.images is not None else self._synthesize(latents)
        network = self.network
        parts = [network(self._image_features(part)) for part in images.split(self._at_once)]
        return torch.cat(parts) if parts else images.new_zeros(0, network.rows, network.w_dim)

    def direction(self, prompt: Prompt) -> Tensor:
        """The text's direction n in W+, [rows, w_dim], by the setting ``direction``.

        ``literal``, as printed: n = M(f_text), which holds the mean of W too and so washes pictures out. ``residual``:
        M(f_text) without that mean. ``delta`` (ours): M(f_text) - M(f_neutral).
        """
        kind, offset = self.settings["direction"], self._offset(self._text_feature(prompt.words))[0]
        if kind == "literal":
            return offset + self.network.w_mean
        if kind == "residual":
            return offset
        return offset - self._offset(self._text_feature(self._neutral))[0]

    # -- generation --------------------------------------------------------------------------------------------------
    @torch.no_grad()
    def generate(self, prompt: Prompt, n: int, seed: int = 0) -> Latents:
        """``n`` pictures of the text, each with its own draw of noise, or the best of several (setting ``draws``).

        The first k of n are the same for every n >= k.

        Raises:
            UserError: n or the seed is out of range, or the mapping network is missing.
        """
        check_whole("n", n, low=1)
        check_whole("seed", seed, low=0, below=MACHINE)
        draws = int(self.settings["draws"])
        text = self._text_feature(prompt.words).expand(n * draws, -1)
        stream = torch.Generator().manual_seed(seed)
        noisy = add_noise(text, self.settings["noise"], float(self.settings["sigma"]), stream)
        codes = self.network.w_mean + self._offset(noisy) + self._rest(n * draws, seed).to(noisy)
        if draws > 1:
            codes = codes.unflatten(0, (n, draws))
            codes = codes[torch.arange(n, device=codes.device), sent(self._choose(codes, prompt), codes.device)]
        return Latents(codes, "w+", ids=tuple(f"seed{seed}-{i:03d}" for i in range(n)))

    def _choose(self, codes: Tensor, prompt: Prompt) -> Tensor:
        """The draw [n] to keep for each picture of the codes [n, draws, rows, w_dim], told by the guiding networks."""
        words = unit(self.clip.encode_text([prompt.words]).float())[0]
        identity = self.domain.network("identity") if self.domain.has("identity") else None
        scores, subjects = [], []
        for part in codes.flatten(0, 1).split(self._at_once):
            images = self.domain.generator.synthesize(part).clamp(-1, 1)
            scores.append(unit(self._image_features(images)) @ words)
            if identity is not None:
                subjects.append(unit(identity.embed(images)))
        shape = codes.shape[:2]
        told_apart = torch.cat(subjects).unflatten(0, shape) if subjects else None
        return choose_distinct(torch.cat(scores).unflatten(0, shape), told_apart)

    def _rest(self, n: int, seed: int) -> Tensor:
        """Draws of what CLIP does not say, [n, rows, w_dim]."""
        network, strength = self.network, float(self.settings["rest"])
        rank = len(network.rest_basis)
        if strength and not rank:
            raise UserError(f"rest: {strength:g}, but these weights of {self.info.name} were trained with rest_rank=0")
        stream = torch.Generator().manual_seed(seed_of("rest", seed))
        # One by one: torch draws the end of a tensor anew where its size is no multiple of 16.
        draws = [torch.randn(rank, generator=stream) for _ in range(n)]
        return strength * network.rest(sent(torch.stack(draws), network.rest_basis.device, network.rest_basis.dtype))

    # -- features ----------------------------------------------------------------------------------------------------
    @cached_property
    def clip(self) -> Any:
        """The CLIP that reads photos and texts: the domain's guiding one, or the one of the setting ``clip``."""
        if self.settings["clip"] == GUIDING:
            return self.domain.clip
        from textedit_bench.models import load_clip

        return load_clip(self.settings["clip"]).to(self.domain.device).eval().requires_grad_(False)

    @property
    def _at_once(self) -> int:
        return images_at_once(self.domain.resolution, _CHUNK)

    @property
    def _neutral(self) -> str:
        return self.domain.card.neutral

    def _image_features(self, images: Tensor) -> Tensor:
        features: Tensor = self.clip.encode_image(images).float()
        return features

    def _text_feature(self, text: str) -> Tensor:
        """The feature that stands for the text in the place of a picture's, [1, d].

        With ``gap=centre`` (ours): ``gap_scale`` times the difference of the unit features of this text and the neutral
        one, put on the mean of the pictures' unit features. The network was trained on pictures, whose features lie far
        from all texts'; and a text says one thing with its whole length, where a picture says many.
        """
        with torch.no_grad():
            feature = self.clip.encode_text([text]).float()
            if self._centred:
                difference = unit(feature) - unit(self.clip.encode_text([self._neutral]).float())
                feature = self.network.image_mean.to(feature) + float(self.settings["gap_scale"]) * difference
        return feature

    @property
    def _centred(self) -> bool:
        return bool(self.settings["gap"] == "centre")

    def _offset(self, features: Tensor) -> Tensor:
        """R(f) of features that stand for texts."""
        offset = self.network.offset(features, unit_length=not self._centred)
        return self.network.told(offset) if self.settings["keep_rest"] else offset

    def _synthesize(self, latents: Latents) -> Tensor:
        make = self.domain.generator.synthesize if latents.space == "w+" else self.domain.generator.synthesize_style
        images: Tensor = make(latents.codes)
        return images

    # -- weights -----------------------------------------------------------------------------------------------------
    @property
    def network(self) -> ClipMapping:
        """The trained mapping network, on the domain's device.

        Raises:
            UserError: there is none yet, or it belongs to another generator or CLIP.
        """
        if self._network is None:
            raise UserError(
                f"{self.info.name} has no trained weights for {self.domain.name}, tier {self.domain.tier} "
                f"(expected {self.weights_path()}); train them with: "
                f"textedit-bench train --method {self.info.name} --dataset {self.domain.name}"
            )
        network, generator = self._network, self.domain.generator
        fits = (network.feature_dim, network.rows, network.w_dim)
        wanted = (self.clip.embed_dim, generator.num_rows, generator.w_dim)
        if fits != wanted:
            raise UserError(
                f"this CLIP2GAN network maps features of width {fits[0]} to {fits[1]} rows of width {fits[2]}; "
                f"{self.domain.name}, tier {self.domain.tier}, has {wanted[0]}, {wanted[1]} and {wanted[2]}"
            )
        return network.to(self.domain.device)

    def weights_path(self) -> Path:
        """The committed (or locally trained) weights of this data set, tier and CLIP; both variants share them."""
        name = f"{self.domain.name}-{self.domain.tier}"
        if self.settings["clip"] != GUIDING:
            name += "-" + re.sub(r"[^a-z0-9]+", "-", Path(self.settings["clip"]).name.lower()).strip("-")
        return weights_folder("textedit_methods.clip2gan", self.domain) / f"{name}.safetensors"

    def save(self, path: str | Path) -> None:
        """Write the mapping network, in the narrowest form that loses nothing."""
        network = self.network.float()
        save_network(network, path, "clip2gan", exact_precision(network.state_dict()))

    def load(self, path: str | Path) -> None:
        """Read a network written by `save`.

        Raises:
            UserError: the file holds none.
        """
        self._network = self.load_network(path)

    @classmethod
    def load_network(cls, path: str | Path) -> ClipMapping:
        """The mapping network of a file of ours (no official one exists): features [B, d] -> W+ [B, rows, w_dim].

        Raises:
            CheckpointError: the file is missing, damaged, or holds something else.
        """
        path = Path(path)
        if not path.is_file():
            raise CheckpointError(f"{path}: no such file")
        if not is_safetensors(path):
            raise CheckpointError(f"{path}: not a CLIP2GAN network of ours; the authors published no checkpoint")
        network = build_network(path, *read_tensors(path))
        if not isinstance(network, ClipMapping):
            raise CheckpointError(f"{path}: holds a {type(network).__name__}, not a CLIP2GAN mapping network")
        if not all(torch.isfinite(value).all() for value in network.state_dict().values()):
            raise CheckpointError(f"{path}: holds values that are not finite")
        return network

    # -- training ----------------------------------------------------------------------------------------------------
    def fit(self, prompts: Sequence[Prompt] | None = None, **options: Any) -> None:
        """Train the mapping network on photos; afterwards this editor uses it. `save` keeps it.

        Args:
            prompts: unused: no text is involved.
            options: settings of the method for this run, and the fields of `textedit_bench.training.RunOptions`.

        Raises:
            UserError: unknown option or value.
        """
        from textedit_bench.training import RunOptions
        from textedit_methods.clip2gan.fitting import fit_network

        run, own = RunOptions.split(options)
        chosen = type(self)(self.domain, **{**self.settings, **own}).settings
        self._network = fit_network(self.domain, self.clip, chosen, run, self.info)


class CLIP2GANFromInversion(CLIP2GAN):
    """The same direction, added to the photo's given inversion instead of CLIP2GAN's own.

    Fairer beside methods that start there, but not the paper's method.
    """

    info = CARD_E4E

    def edit_sweep(self, latents: Latents, prompt: Prompt, strengths: Sequence[float]) -> list[Latents]:
        """The same direction at several strengths; strength 0 is what was given, be it style codes."""
        moved = [strength for strength in strengths if strength]
        edits = iter(super().edit_sweep(latents, prompt, moved) if moved else ())
        return [next(edits) if strength else latents for strength in strengths]

    def starting_codes(self, latents: Latents) -> Tensor:
        """The given W+ codes.

        Raises:
            UserError: style codes that come without their W+ codes.
        """
        codes = latents.codes if latents.space == "w+" else latents.w_plus
        if codes is None:
            raise UserError(f"{self.info.name} edits W+ codes; these latents are style codes without their W+ codes")
        if codes.shape[1:] != (self.network.rows, self.network.w_dim):
            raise UserError(
                f"this CLIP2GAN network edits codes of {self.network.rows} rows and width {self.network.w_dim}; "
                f"these have {tuple(codes.shape[1:])}"
            )
        return codes
