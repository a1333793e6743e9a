"""Base class of editors that run their authors' networks alone, told texts by DAMSM's encoder and its vocabulary."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.assets.locate import fetched
from textedit_bench.devices import sent
from textedit_bench.errors import CheckpointError, UserError
from textedit_bench.models.damsm_text import EncodedText, TextReader, load_text_reader
from textedit_bench.prompt import Prompt
from textedit_bench.seeds import seed_of
from textedit_bench.typed_editor import SettingsT, TypedEditor

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

LoadedT = TypeVar("LoadedT")

log = logging.getLogger(__name__)


class CaptionEditor(TypedEditor[SettingsT]):
    """Editor whose networks lie in files that its settings name, or that its card names as released.

    A subclass names its `parts`. Its settings are these, the file of each part (empty: the authors' downloaded one),
    and ``sentence``: how the words of an edit become a caption of the training, ``{}`` for the words.
    """

    parts: ClassVar[tuple[str, ...]]
    """Settings that name files, in the order of the card's released ones; text_encoder and vocabulary among them."""

    def __init__(self, domain: Domain, **settings: Any) -> None:
        """As every editor.

        Raises:
            UserError: an unknown setting, an invalid value, or a sentence without a place for the words.
        """
        super().__init__(domain, **settings)
        if "{}" not in (sentence := self.settings["sentence"]):
            raise UserError(
                f"setting sentence of {self.info.name}: {sentence!r} has no place for the words; valid: with {{}}"
            )

    # -- files -------------------------------------------------------------------------------------------------------
    def files(self) -> dict[str, Path | None]:
        """Return part -> its file, None if there is none.

        Raises:
            UserError: a setting names a file that does not exist.
        """
        names = self.info.released_for(self.domain.tier, self.domain.name)
        found: dict[str, Path | None] = {part: fetched(name) for part, name in zip(self.parts, names, strict=False)}
        return {part: next(iter(self.given_file(part)), found.get(part)) for part in self.parts}

    def file(self, part: str) -> Path:
        """Return the file of one part.

        Raises:
            UserError: there is none.
        """
        path = self.files()[part]
        if path is None:
            raise UserError(self.lacks() or "")
        return path

    def released_files(self) -> tuple[Path, ...]:
        """Return the files of all parts; empty unless all are there."""
        found = [path for path in self.files().values() if path is not None]
        return tuple(found) if len(found) == len(self.parts) else ()

    def released_weights(self) -> Path | None:
        """Return None: the files are read on first use."""
        return None

    def built(self, load: Callable[..., LoadedT], *parts: str) -> LoadedT:
        """Return what ``load`` makes of the parts' files; restores torch's random state, which building advances."""
        with torch.random.fork_rng(devices=[]):
            return load(*map(self.file, parts))

    def lacks(self) -> str | None:
        """Return which parts have no file, and how they get one."""
        lacking = [part for part, path in self.files().items() if path is None]
        if not lacking:
            return None
        there = [f"{name} (tier {tier})" for tier, sets in self.info.released.items() for name in sets]
        domain, given = self.domain, ", ".join(f"{part}=FILE" for part in lacking)
        return (
            f"{self.info.name} runs its authors' networks, which are of {', '.join(there)}; for {domain.name}, tier "
            f"{domain.tier}, these are missing: {', '.join(lacking)} (textedit-bench assets list, or settings {given})"
        )

    # -- texts -------------------------------------------------------------------------------------------------------
    def refusal(self, prompt: Prompt) -> str | None:
        """Return the missing or unfit files, or that the vocabulary knows no word of the prompt."""
        if (lack := self.lacks()) is not None:
            return lack
        try:
            known = self.reader.find(prompt.words).ids
        except CheckpointError as error:  # such as a vocabulary that is not the text encoder's
            return str(error)
        return None if known else f"the vocabulary of its text encoder has none of the words {prompt.words!r}"

    @cached_property
    def reader(self) -> TextReader:
        """The text encoder with its vocabulary, on the CPU: it reads every text once."""
        return self.built(load_text_reader, "text_encoder", "vocabulary")

    def read(self, prompt: Prompt) -> tuple[Tensor, Tensor]:
        """Encode the prompt as a caption of the training; words that the vocabulary lacks are reported, once a text.

        Returns:
            Words [1, width, T] and sentence [1, width], on the domain's device.

        Raises:
            UserError: no word of the prompt is known, or files are missing.
        """
        if refusal := self.refusal(prompt):
            raise UserError(f"prompt {prompt.words!r}: {refusal}")
        caption = self.settings["sentence"].replace("{}", prompt.words)
        if caption not in self._read:
            self._read[caption] = self.reader.encode(caption)
            if dropped := self._read[caption].dropped:
                log.warning("%s: %r is read without: %s", self.info.name, caption, ", ".join(dropped))
        text = self._read[caption]
        return sent(text.words, self.domain.device), sent(text.sentence, self.domain.device)

    def check_told(self, source: object, width: int) -> None:
        """Refuse a network of sentences of another width.

        Args:
            source: the network's file or name.
            width: of the sentences that it is told.

        Raises:
            UserError: names both widths.
        """
        if width != (given := self.reader.encoder.sentence_dim):
            raise UserError(f"{source} is told sentences of width {width}; {self.file('text_encoder')} gives {given}")

    @cached_property
    def _read(self) -> dict[str, EncodedText]:
        return {}


def normals(width: int, *axes: object) -> Tensor:
    """Draw standard normals [width] on the CPU that only the axes decide."""
    return torch.randn(width, generator=torch.Generator().manual_seed(seed_of(*axes)))


def at_side(images: Tensor, side: int) -> Tensor:
    """Enlarge or reduce pictures [B, 3, H, W] in [-1, 1] to ``side`` x ``side``: bicubic, antialiased, clipped."""
    if tuple(images.shape[-2:]) == (side, side):
        return images
    return F.interpolate(images, (side, side), mode="bicubic", antialias=True).clamp(-1, 1)
