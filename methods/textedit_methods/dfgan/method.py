"""The DF-GAN editor, which only generates."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn

from textedit_bench.assets.locate import fetched
from textedit_bench.caption_editor import CaptionEditor, at_side
from textedit_bench.devices import sent
from textedit_bench.editor import Editor
from textedit_bench.errors import UserError
from textedit_bench.models.damsm_text import TextEncoder
from textedit_bench.models.stylegan2 import images_at_once
from textedit_bench.prompt import Prompt
from textedit_bench.ranges import MACHINE, check_whole
from textedit_bench.trained import TrainedEditor
from textedit_methods.dfgan.card import CARD, RELEASED_FILES, Settings
from textedit_methods.dfgan.network import START, Critic, Generator, generator_widths, sentence_vectors
from textedit_methods.dfgan.released import RELEASED

_EDGE = 2.0
"""Where the truncated normal ends."""


class DFGAN(TrainedEditor[Generator, Settings], CaptionEditor[Settings]):
    """Generates pictures from noise and a sentence vector: of the guiding CLIP, or of the authors' text encoder."""

    info = CARD
    network_type = (Generator, Critic, TextEncoder)
    released = RELEASED
    roles = ("clip",)
    parts = ("text_encoder", "vocabulary")

    # -- generation --------------------------------------------------------------------------------------------------
    @torch.no_grad()
    def generate(self, prompt: Prompt, n: int, seed: int = 0) -> Tensor:
        """Generate ``n`` pictures of the text, enlarged to the data set's size; the first k are those of n = k.

        Raises:
            UserError: n or the seed is out of range, the network is missing, or the text has no known word.
        """
        check_whole("n", n, low=1)
        check_whole("seed", seed, low=0, below=MACHINE)
        network, side = self.network, self.domain.resolution
        if self._reads_words:
            self.check_told(f"the generator of {CARD.name}", network.sentence_dim)
        told = self.read(prompt)[1] if self._reads_words else sentence_vectors(self.embed_text(prompt.target)[None])
        truncation = 0.0 if network.layout == "v1" else self.values.truncation  # v1 was sampled from plain normals
        noise = sent(draw_noise(n, network.noise_dim, seed, truncation), self.domain.device)
        parts = noise.split(images_at_once(side))
        return torch.cat([at_side(network(part, told.expand(len(part), -1)), side) for part in parts])

    @property
    def _reads_words(self) -> bool:
        """Whether the weights are the authors', who have a text encoder of their own."""
        return self._network is not None and self._network.reads == "damsm"

    def refusal(self, prompt: Prompt) -> str | None:
        """With the authors' weights: missing files, or that their vocabulary knows no word of the prompt."""
        return super().refusal(prompt) if self._reads_words else self.lacks()

    # -- weights and training ----------------------------------------------------------------------------------------
    def files(self) -> dict[str, Path | None]:
        """Return the authors' text encoder and vocabulary, for any data set."""
        names = dict(zip(self.parts, RELEASED_FILES[1:], strict=True))
        return {part: next(iter(self.given_file(part)), fetched(name)) for part, name in names.items()}

    def lacks(self) -> str | None:
        """Return what the authors' generator lacks, if that is all there is; elsewhere networks can be trained."""
        return super().lacks() if self._reads_words or (self._network is None and self._authors()) else None

    def released_files(self) -> tuple[Path, ...]:
        """Return the authors' generator, text encoder and vocabulary; empty unless all are there."""
        found, texts = self._authors(), super().released_files()
        return (*found, *texts) if found and texts else ()

    def _authors(self) -> tuple[Path, ...]:
        """Return the authors' generator for the data set; empty if it is not there."""
        names = self.info.released_for(self.domain.tier, self.domain.name)[:1]
        return tuple(path for path in map(fetched, names) if path)

    released_weights = Editor.released_weights  # the generator; a `CaptionEditor` loads none

    def check_fits(self, network: nn.Module, source: str) -> None:
        """Refuse another network than a generator, pictures larger than the data set's, and another text encoder's."""
        domain = self.domain
        if not isinstance(network, Generator):
            raise UserError(f"{source}: holds a {type(network).__name__}, not DF-GAN's generator")
        if network.side > domain.resolution:
            raise UserError(f"{source}: draws pictures of {network.side} pixels; {domain.name} has {domain.resolution}")
        if network.reads == "clip" and network.sentence_dim != (width := self.clip.embed_dim):
            raise UserError(f"{source}: is told sentences of width {network.sentence_dim}; the CLIP gives {width}")

    def new_network(self) -> Generator:
        """Create an untrained generator that is told CLIP's features of texts."""
        values, side = self.values, min(self.values.side, self.domain.resolution)
        if side < 2 * START or side & (side - 1):
            raise UserError(f"side: {side} is not one of a generator; valid: powers of two from {2 * START}")
        return Generator(generator_widths(values.channels, side), values.noise_dim, self.clip.embed_dim)


def draw_noise(n: int, width: int, seed: int, truncation: float) -> Tensor:
    """Draw noise [n, width]: ``truncation`` times a normal within [-2, 2], or plain normals if it is 0."""
    stream = torch.Generator().manual_seed(seed)
    draw = torch.rand if truncation else torch.randn
    # One by one: torch redraws the end of a tensor whose size is not a multiple of 16.
    drawn = torch.stack([draw(width, generator=stream) for _ in range(n)])
    within = math.erf(_EDGE / math.sqrt(2))
    return truncation * math.sqrt(2) * torch.erfinv(within * (2 * drawn - 1)) if truncation else drawn
