"""ManiGAN: photos drawn anew, as a text asks, by the authors' networks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from textedit_bench.caption_editor import CaptionEditor, at_side, normals
from textedit_bench.devices import sent
from textedit_bench.editor import Latents
from textedit_bench.errors import UserError
from textedit_bench.models.damsm_image import ImageEncoder, load_image_encoder
from textedit_bench.models.released import load_trained
from textedit_bench.models.stylegan2 import images_at_once
from textedit_bench.models.vgg import VggFeatures
from textedit_bench.prompt import Prompt
from textedit_methods.manigan.card import CARD, Settings
from textedit_methods.manigan.network import SIDE, Correction, MainModule
from textedit_methods.manigan.released import RELEASED

ModuleT = TypeVar("ModuleT", bound=nn.Module)

_AT_ONCE = 4
"""Photos per pass, at most."""


class ManiGAN(CaptionEditor[Settings]):
    """Edit = photo + strength * (drawn - photo), in pixels."""

    info = CARD
    parts = ("generator", "correction", "image_encoder", "vgg", "text_encoder", "vocabulary")

    # -- networks ----------------------------------------------------------------------------------------------------
    @classmethod
    def load_network(cls, path: str | Path) -> nn.Module:
        """Read the main module or the correction of details, of the authors or ours; eval mode, frozen parameters.

        Raises:
            CheckpointError: the file is missing, damaged, would execute code, or has another network.
        """
        return load_trained(Path(path), (MainModule, Correction), CARD.title, RELEASED)

    def _module(self, part: str, kind: type[ModuleT]) -> ModuleT:
        network = self.built(self.load_network, part)
        if not isinstance(network, kind):
            raise UserError(f"{self.file(part)}: a {type(network).__name__}; {part} of manigan is a {kind.__name__}")
        return network.to(self.domain.device)

    @cached_property
    def main(self) -> MainModule:
        """The module that draws in three stages.

        Raises:
            UserError: its file is missing or holds another one, or the text encoder is one of other widths.
        """
        network = self._module("generator", MainModule)
        self.check_told(self.file("generator"), network.words)
        if self.values.enlarging == "factor":
            network.enlarge_by_factor()
        return network

    @cached_property
    def correction(self) -> Correction:
        """The module that draws the details.

        Raises:
            UserError: its file is missing or holds another one, or it is of another size than the main module.
        """
        network, main = self._module("correction", Correction), self.main
        if (network.features, network.words) != (main.features, main.words):
            has = f"{network.features} features and words of width {network.words}"
            self._refuse("correction", has, f"{main.features} and {main.words}")
        return network

    @cached_property
    def image_encoder(self) -> ImageEncoder:
        """What embeds photos.

        Raises:
            UserError: its file is missing or holds another one, or it is of another width than the main module.
        """
        network = self.built(load_image_encoder, "image_encoder")
        if network.width != self.main.words:
            self._refuse("image_encoder", f"regions of width {network.width}", str(self.main.words))
        return network.to(self.domain.device)

    def _refuse(self, part: str, has: str, wanted: str) -> None:
        raise UserError(f"{self.file(part)}: has {has}; {self.file('generator')} needs {wanted}")

    @cached_property
    def vgg(self) -> VggFeatures:
        """VGG-16 as far as its second block."""
        return self.built(lambda path: VggFeatures(2, 2).read(path), "vgg").to(self.domain.device)

    # -- editing -----------------------------------------------------------------------------------------------------
    @torch.no_grad()
    def edit_sweep(self, latents: Latents, prompt: Prompt, strengths: Sequence[float]) -> list[Tensor]:
        """Draw the photos anew, as the text asks, once for all strengths; strength 0 is the photo.

        Raises:
            UserError: files are missing, or no word of the prompt is known.
        """
        photos = self.domain.generator.synthesize(latents) if latents.images is None else latents.images
        change = self.draw(photos, prompt, latents.ids) - photos if any(strengths) else torch.zeros_like(photos)
        return [(photos + strength * change).clamp(-1, 1) for strength in strengths]

    def draw(self, photos: Tensor, prompt: Prompt, ids: Sequence[str] | None = None) -> Tensor:
        """Draw photos [B, 3, H, W] anew, by the text and noise that the photo's name decides; of the same shape."""
        words, sentence = self.read(prompt)
        widths = [self.main.noise, self.main.condition]
        names = ids or [f"photo {number}" for number in range(len(photos))]
        draws = [normals(sum(widths), "draw", name) for name in names]
        noise = sent(torch.stack(draws), photos.device) if draws else photos.new_zeros(0, sum(widths))
        size, drawn = images_at_once(SIDE, _AT_ONCE), [photos[:0]]
        for photo, own in zip(photos.split(size), noise.split(size), strict=True):
            many, small = len(photo), at_side(photo, SIDE)
            told = words.expand(many, -1, -1)
            regions, code = self.image_encoder(small)
            z, eps = own.split(widths, dim=1)
            features = self.main.last_features(z, eps, sentence.expand(many, -1), told, code, regions)
            drawn.append(at_side(self.correction(features, self.vgg(small), told), photo.shape[-1]))
        return torch.cat(drawn)
