"""AttnGAN, ControlGAN and DM-GAN: pictures of a text by the authors' generator."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import ClassVar, cast

import torch
from torch import Tensor

from textedit_bench.caption_editor import CaptionEditor, at_side, normals
from textedit_bench.devices import sent
from textedit_bench.models.released import load_trained
from textedit_bench.models.stylegan2 import images_at_once
from textedit_bench.prompt import Prompt
from textedit_bench.ranges import MACHINE, check_whole
from textedit_methods.stacked_gans.card import ATTNGAN, CONTROLGAN, DMGAN, Settings
from textedit_methods.stacked_gans.network import AttnGenerator, ControlGenerator, MemoryGenerator, StackedGenerator
from textedit_methods.stacked_gans.released import layout_of

_SIDE = 256
_AT_ONCE = 8
"""Pictures per pass, at most."""


class _StackedGan(CaptionEditor[Settings]):
    """Generates alone; a subclass names its network."""

    parts = ("generator", "text_encoder", "vocabulary")
    network_type: ClassVar[type[StackedGenerator]]

    @classmethod
    def load_network(cls, path: str | Path) -> StackedGenerator:
        """Read the authors' generator, a bare state dict, or one of ours; eval mode, frozen parameters.

        Raises:
            CheckpointError: the file is missing, damaged, would execute code, or has another network.
        """
        kind, title = cls.network_type, cls.info.title
        return cast("StackedGenerator", load_trained(Path(path), kind, title, layout_of(kind, title)))

    @cached_property
    def network(self) -> StackedGenerator:
        """The generator, on the domain's device.

        Raises:
            UserError: its file is missing, or the text encoder is one of other widths.
        """
        network = self.built(self.load_network, "generator")
        self.check_told(self.file("generator"), network.sizes.words)
        return network.to(self.domain.device)

    @torch.no_grad()
    def generate(self, prompt: Prompt, n: int, seed: int = 0) -> Tensor:
        """Draw ``n`` pictures of the text, [n, 3, H, W], enlarged to the domain's side.

        The first k of n are the same for every n >= k. The text is encoded alone, so that no padding takes part.

        Raises:
            UserError: n or the seed is out of range, files are missing, or no word of the prompt is known.
        """
        check_whole("n", n, low=1)
        check_whole("seed", seed, low=0, below=MACHINE)
        (words, sentence), network = self.read(prompt), self.network
        widths = [network.sizes.noise, network.sizes.condition]
        draws = sent(torch.stack([normals(sum(widths), "draw", seed, i) for i in range(n)]), self.domain.device)
        pictures = []
        for part in draws.split(images_at_once(_SIDE, _AT_ONCE)):
            noise, eps = part.split(widths, dim=1)
            many = len(part)
            drawn = network(noise, eps, sentence.expand(many, -1), words.expand(many, -1, -1))
            pictures.append(at_side(drawn.images[-1], self.domain.resolution))
        return torch.cat(pictures)


class AttnGAN(_StackedGan):
    """Places of the picture attend to words."""

    info = ATTNGAN
    network_type = AttnGenerator


class ControlGAN(_StackedGan):
    """Channels attend to words, too."""

    info = CONTROLGAN
    network_type = ControlGenerator


class DynamicMemoryGAN(_StackedGan):
    """Places read a memory of words."""

    info = DMGAN
    network_type = MemoryGenerator
