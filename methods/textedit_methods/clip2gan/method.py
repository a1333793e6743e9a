"""The CLIP2GAN editor, and its variant that starts from the given inversion."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from textedit_bench.devices import sent
from textedit_bench.editor import Latents
from textedit_bench.errors import UserError
from textedit_bench.models.stylegan2 import images_at_once
from textedit_bench.prompt import Prompt
from textedit_bench.ranges import MACHINE, check_whole
from textedit_bench.seeds import seed_of
from textedit_bench.trained import TrainedOffsetEditor
from textedit_methods.clip2gan.card import CARD, CARD_E4E, Settings
from textedit_methods.clip2gan.network import ClipMapping, add_noise, unit

if TYPE_CHECKING:
    from textedit_bench.models.clip import ClipModel

GUIDING = "guiding"
_CHUNK = 32
"""Pictures per pass where memory allows them."""
_ROWS = re.compile(r"^(\d{1,4})(?:-(\d{1,4}))?$")


class CLIP2GAN(TrainedOffsetEditor[ClipMapping, Settings]):
    """Computes W+ codes from CLIP features: of a photo (inversion), of a text (generation), or both (editing)."""

    info = CARD
    network_type = ClipMapping
    trained_as = CARD.name
    roles = ("generator", "encoder", "identity", "discriminator")
    _own_clip: ClipModel | None = None

    # -- editing -----------------------------------------------------------------------------------------------------
    @torch.no_grad()
    def start(self, latents: Latents) -> Latents:
        """Return the method's own inversion M(C_img(x)), through CLIP; the variant returns the given codes."""
        if not self.info.own_inversion:
            return latents
        images = self.domain.generator.synthesize(latents) if latents.images is None else latents.images
        network, at_once = self.network, images_at_once(self.domain.resolution, _CHUNK)
        parts = [network(self.image_features(part)) for part in images.split(at_once)]
        codes = torch.cat(parts) if parts else images.new_zeros(0, network.rows, network.w_dim)
        return latents.with_codes(codes, "w+")

    def offset(self, latents: Latents, prompt: Prompt) -> Tensor:
        """Return ``beta`` times the text's direction in the editable rows, [rows, w_dim]."""
        direction = self.direction(prompt).to(latents.codes)
        rows = sent(torch.tensor(read_rows(self.values.rows, len(direction))), direction.device)
        step = torch.zeros_like(direction)
        step[rows] = self.values.beta * direction[rows]
        return step

    def direction(self, prompt: Prompt) -> Tensor:
        """Compute the text's direction n in W+, [rows, w_dim], by the setting ``direction``.

        ``literal``, as printed: n = M(f_text), which holds the mean of W too and so washes pictures out. ``residual``:
        M(f_text) without that mean. ``delta`` (ours): M(f_text) - M(f_neutral).
        """
        offset = self._mapped(self._text_feature(prompt.words))[0]
        match self.values.direction:
            case "literal":
                return offset + self.network.w_mean
            case "residual":
                return offset
        return offset - self._mapped(self._text_feature(self.domain.card.neutral))[0]

    # -- generation --------------------------------------------------------------------------------------------------
    @torch.no_grad()
    def generate(self, prompt: Prompt, n: int, seed: int = 0) -> Latents:
        """Generate ``n`` pictures of the text, each with its own noise, or the best of several (setting ``draws``).

        The first k of n are the same for every n >= k.

        Raises:
            UserError: n or the seed is out of range, or the mapping network is missing.
        """
        check_whole("n", n, low=1)
        check_whole("seed", seed, low=0, below=MACHINE)
        values = self.values
        text = self._text_feature(prompt.words).expand(n * values.draws, -1)
        noisy = add_noise(text, values.noise, values.sigma, torch.Generator().manual_seed(seed))
        codes = self.network.w_mean + self._mapped(noisy) + self._rest(len(noisy), seed).to(noisy)
        if values.draws > 1:
            codes = codes.unflatten(0, (n, values.draws))
            codes = codes[torch.arange(n, device=codes.device), sent(self._choose(codes, prompt), codes.device)]
        return Latents(codes, "w+", ids=tuple(f"seed{seed}-{i:03d}" for i in range(n)))

    def _choose(self, codes: Tensor, prompt: Prompt) -> Tensor:
        """Choose the draw [n] to keep per picture of the codes [n, draws, rows, w_dim], by the guiding networks."""
        words = unit(self.embed_text(prompt.words))
        identity = self.domain.identity if self.domain.has("identity") else None
        scores, subjects = [], []
        for part in codes.flatten(0, 1).split(images_at_once(self.domain.resolution, _CHUNK)):
            images = self.domain.generator.synthesize(part).clamp(-1, 1)
            scores.append(unit(self.image_features(images)) @ words)
            if identity is not None:
                subjects.append(unit(identity.embed(images)))
        shape = codes.shape[:2]
        return choose_distinct(
            torch.cat(scores).unflatten(0, shape), torch.cat(subjects).unflatten(0, shape) if subjects else None
        )

    def _rest(self, n: int, seed: int) -> Tensor:
        """Draw the variation that CLIP does not encode, [n, rows, w_dim]."""
        network, strength = self.network, self.values.rest
        rank = len(network.rest_basis)
        if strength and not rank:
            raise UserError(f"rest: {strength:g}, but these weights of {self.info.name} were trained with rest_rank=0")
        stream = torch.Generator().manual_seed(seed_of("rest", seed))
        # One by one: torch redraws the end of a tensor whose size is not a multiple of 16.
        draws = [torch.randn(rank, generator=stream) for _ in range(n)]
        return strength * network.rest(sent(torch.stack(draws), network.rest_basis.device, network.rest_basis.dtype))

    # -- features ----------------------------------------------------------------------------------------------------
    @property
    def clip(self) -> ClipModel:
        """The CLIP for photos and texts: the domain's guiding one, or that of the setting ``clip``."""
        if self.values.clip == GUIDING:
            return self.domain.clip
        if self._own_clip is None:
            from textedit_bench.models import load_clip

            self._own_clip = load_clip(self.values.clip).to(self.domain.device).eval().requires_grad_(False)
        return self._own_clip

    @property
    def clip_name(self) -> str:
        """Identifies that CLIP: its digest, or the setting."""
        return self.domain.digest("clip") if self.values.clip == GUIDING else self.values.clip

    def image_features(self, images: Tensor) -> Tensor:
        """Compute CLIP features [B, d] of images [B, 3, H, W] in [-1, 1], not normalised."""
        return self.clip.encode_image(images).float()

    def _text_feature(self, text: str) -> Tensor:
        """Compute the feature of the text in place of a picture's, [1, d].

        With ``gap=centre`` (ours): ``gap_scale`` times the difference of the unit features of this text and the neutral
        one, put on the mean of the pictures' unit features. The network was trained on pictures, whose features lie far
        from all texts'; and a text says one thing with its whole length, where a picture says many.
        """
        feature = self.embed_text(text)[None]
        if self.values.gap == "centre":
            difference = unit(feature) - unit(self.embed_text(self.domain.card.neutral)[None])
            feature = self.network.image_mean.to(feature) + self.values.gap_scale * difference
        return feature

    def _mapped(self, features: Tensor) -> Tensor:
        """Compute R(f) of text features."""
        offset = self.network.offset(features, unit_length=self.values.gap != "centre")
        return self.network.told(offset) if self.values.keep_rest else offset

    # -- weights and training ----------------------------------------------------------------------------------------
    def weights_path(self) -> Path:
        """Return the weights of this data set, tier and CLIP, shared by both variants."""
        path = super().weights_path()
        if self.values.clip == GUIDING:
            return path
        clip = re.sub(r"[^a-z0-9]+", "-", Path(self.values.clip).name.lower()).strip("-")
        return path.with_stem(f"{path.stem}-{clip}")

    def check_fits(self, network: ClipMapping, source: str) -> None:
        """Refuse a network for another generator or CLIP."""
        generator, domain = self.domain.generator, self.domain
        fits = (network.feature_dim, network.rows, network.w_dim)
        wanted = (self.clip.embed_dim, generator.num_rows, generator.w_dim)
        if fits != wanted:
            raise UserError(
                f"{source}: this CLIP2GAN network maps features of width {fits[0]} to {fits[1]} rows of width "
                f"{fits[2]}; {domain.name}, tier {domain.tier}, has {wanted[0]}, {wanted[1]} and {wanted[2]}"
            )

    def new_network(self) -> ClipMapping:
        """Create an untrained network whose initial codes are near the mean of W."""
        values, generator = self.values, self.domain.generator
        network = ClipMapping(
            self.clip.embed_dim,
            generator.num_rows,
            generator.w_dim,
            depth=values.depth,
            hidden_dim=values.hidden_dim,
            final_activation=values.final_activation,
            rest_rank=values.rest_rank,
        )
        network.w_mean.copy_(generator.w_mean.flatten())
        return network


class CLIP2GANFromInversion(CLIP2GAN):
    """Adds the same direction to the photo's given inversion: a fairer comparison, but ours, not the paper's."""

    info = CARD_E4E


def choose_distinct(scores: Tensor, subjects: Tensor | None) -> Tensor:
    """Choose one draw per picture, in order, so that the first k of n are the same for every n >= k (ours).

    Of the better half of a picture's draws by their score, the one is kept whose nearest picture before it is furthest
    away; the best draw where there is no picture before it, or no network to compare them.

    Args:
        scores: closeness to the text, [n, draws].
        subjects: unit embeddings [n, draws, d] of a similarity network; None if there is none.

    Returns:
        [n], positions among the draws, on the CPU.
    """
    better = scores.cpu().topk((scores.shape[1] + 1) // 2, dim=1).indices
    if subjects is None:
        return better[:, 0]
    subjects = subjects.cpu()  # once, instead of a wait for every picture
    kept = [int(better[0, 0])]
    for i, half in enumerate(better[1:], start=1):
        before = subjects[torch.arange(i), kept]
        kept.append(int(half[(subjects[i, half] @ before.T).amax(dim=1).argmin()]))
    return torch.tensor(kept)


def read_rows(text: str, count: int) -> list[int]:
    """Parse rows: ``"0-3,7"`` -> [0, 1, 2, 3, 7]; every row if the text is empty.

    Args:
        text: row numbers from 0 and ranges, both ends included, separated by commas.
        count: W+ rows there are.

    Raises:
        UserError: something else, or a row that does not exist.
    """
    if not text.strip():
        return list(range(count))
    rows: set[int] = set()
    for part in text.split(","):
        match = _ROWS.match(part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not first <= last < count:
            raise UserError(
                f"rows: {part.strip()!r} in {text!r}; valid: rows or ranges from 0 to {count - 1}, as 0-3,7"
            )
        rows.update(range(first, last + 1))
    return sorted(rows)
