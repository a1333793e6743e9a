"""Provide the photos of a data set's splits, and their captions: from a world, from image files, or from codes."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from random import Random
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from torch import Tensor

from textedit_bench.assets.locate import missing_source, source_path
from textedit_bench.data.card import SourceCard, Split
from textedit_bench.data.codes import StoredCodes, draw_codes
from textedit_bench.data.crop import Crop
from textedit_bench.data.pixels import to_images
from textedit_bench.data.reader import Picture, Reader, Skipped
from textedit_bench.data.sources import ImageSource, open_source
from textedit_bench.errors import UserError
from textedit_bench.prompt import tidy
from textedit_bench.seeds import seed_of
from textedit_bench.worlds.captions import find_grammar

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.worlds.world import Factors, World


WORKERS = 4
"""Maximum number of decoding processes; more of them would wait for the reading process."""
SYNTHESIS_BATCH = 8

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Photos:
    """A named set of photos, in order.

    Attributes:
        images: [N, 3, H, W] float32 in [-1, 1].
        ids: one stable name per image.
        factors: the rendered factors, in the mini tier; None if the truth is unknown.
        codes: their W+ codes [N, rows, w_dim] if the images were made from codes; None if they must be inverted.
    """

    images: Tensor
    ids: tuple[str, ...]
    factors: Factors | None = None
    codes: Tensor | None = None


def stored_photo(domain: Domain, name: str) -> Photos | None:
    """Return the data set's photo of an id (``evaluation-00003``); None if the text is not one."""
    split, _, number = name.rpartition("-")
    if split not in domain.tier_card.splits or not number.isdecimal():
        return None
    return domain.photos(split, 1, int(number))


class NoPhotosError(UserError):
    """A split without any usable photo."""


class PhotoProvider(Protocol):
    """Provides photos ``start .. start + n`` of a split, which the caller has checked against the card."""

    def photos(self, split: Split, n: int, start: int, *, partial: bool = False) -> Photos:
        """Return photos; raises `UserError` if there are fewer, unless allowed, and `NoPhotosError` if none."""
        ...

    @property
    def skipped(self) -> list[Skipped]:
        """Unusable images found so far."""
        ...


class WorldPhotos:
    """Renders of a procedural world; their factors are known."""

    skipped: list[Skipped] = []  # noqa: RUF012 - a world has no broken images; nothing is ever added

    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    def photos(self, split: Split, n: int, start: int, *, partial: bool = False) -> Photos:
        """See `PhotoProvider.photos`."""
        world = self._domain.world
        assert world is not None
        factors = world.split_factors(split, range(start, start + n))
        images = world.render(factors).images.to(self._domain.device)
        return Photos(images, _numbered(split, start, n), factors)


class SourcePhotos:
    """Photos of a folder, zip or LMDB, cropped by the card's rule; a photo's id is its key in the source."""

    def __init__(self, domain: Domain, card: SourceCard, path: Path) -> None:
        self._domain = domain
        tier = domain.tier_card
        self._path = path
        self._source: ImageSource = open_source(card.kind, path)
        self._crop = Crop(card.crop, tier.resolution, tier.height, card.min_side)
        self._readers: dict[str, Reader] = {}
        self._told: set[tuple[str, str]] = set()

    @property
    def skipped(self) -> list[Skipped]:
        """See `PhotoProvider.skipped`."""
        return sorted((s for reader in self._readers.values() for s in reader.skipped), key=lambda s: s.position)

    def photos(self, split: Split, n: int, start: int, *, partial: bool = False) -> Photos:
        """See `PhotoProvider.photos`."""
        reader = self._reader(split)
        before = len(reader.skipped)
        pictures = list(reader.read(start, n))
        self._report(split, reader.skipped[before:])
        self._report_changes(split, pictures)
        if n and not start and not pictures:
            why = f"{self._nothing(reader)}{_named(reader.skipped)}"
            raise NoPhotosError(f"split {split} of {self._domain.name}: {why}")
        if len(pictures) < n and not partial:
            first, stop = reader.first, "the end" if reader.stop is None else reader.stop
            raise UserError(
                f"split {split} of {self._domain.name}: {start + len(pictures)} usable images between positions "
                f"{first} and {stop} of the source, {start + n} were asked for{_named(reader.skipped)}"
            )
        side = self._domain.resolution
        pixels = np.stack([p.pixels for p in pictures]) if pictures else np.zeros((0, side, side, 3), np.uint8)
        return Photos(to_images(pixels, self._domain.device), tuple(p.key for p in pictures))

    def _reader(self, split: Split) -> Reader:
        if split not in self._readers:
            first, stop = self._domain.tier_card.region(split)
            workers = min(WORKERS, os.cpu_count() or 1)
            self._readers[split] = Reader(self._source, self._crop, first=first, stop=stop, workers=workers)
        return self._readers[split]

    def _nothing(self, reader: Reader) -> str:
        """Explain why a split has no picture."""
        if reader.skipped:
            return "none of its images can be used"
        entries = sum(1 for _ in self._source.entries())
        return f"the source {self._path} has {entries} entries, the split starts at position {reader.first}"

    def _report(self, split: str, fresh: list[Skipped]) -> None:
        if fresh:
            log.warning("%s: split %s%s", self._domain.name, split, _named(fresh))

    def _report_changes(self, split: str, pictures: Sequence[Picture]) -> None:
        """Log once per split how decoding changes its pictures."""
        for picture in pictures:
            for change in picture.changes:
                if (split, change) not in self._told:
                    self._told.add((split, change))
                    log.info("%s: split %s: %s (%s first)", self._domain.name, split, change, picture.key)


class CodePhotos:
    """Pictures synthesised from codes of a file, or from sampled codes."""

    skipped: list[Skipped] = []  # noqa: RUF012 - codes are refused, not skipped; nothing is ever added

    def __init__(self, domain: Domain, card: SourceCard, path: Path | None) -> None:
        self._domain, self._card = domain, card
        generator = domain.generator
        self._stored = StoredCodes(path, generator.num_rows, generator.w_dim) if path else None

    @torch.no_grad()
    def photos(self, split: Split, n: int, start: int, *, partial: bool = False) -> Photos:
        """See `PhotoProvider.photos`."""
        generator, device = self._domain.generator, self._domain.device
        if self._stored is None:
            numbers = range(start, start + n)
            card = self._card
            codes = draw_codes(generator, split, numbers, truncation=card.truncation, seed=card.seed)
        else:
            first, stop = self._domain.tier_card.region(split)
            there = min(len(self._stored), stop if stop is not None else len(self._stored)) - first
            n = min(n, max(0, there - start)) if partial else n
            if start + n > there and n:
                raise UserError(
                    f"split {split} of {self._domain.name}: {max(0, there)} codes in {self._stored.path} from position "
                    f"{first} on, {start + n} were asked for"
                )
            codes = self._stored.read(first + start, n)
        codes = codes.to(device)
        images = [generator.synthesize(part, noise="const") for part in codes.split(SYNTHESIS_BATCH)]
        side = self._domain.resolution
        joined = torch.cat(images).clamp(-1, 1) if images else torch.zeros(0, 3, side, side, device=device)
        return Photos(joined, _numbered(split, start, n), codes=codes)


def new_provider(domain: Domain) -> PhotoProvider:
    """Create the provider of the domain's photos.

    Raises:
        UserError: the tier has no image source, or its files are missing; says what, from where, and where to put it.
    """
    if domain.world is not None:
        return WorldPhotos(domain)
    card = domain.tier_card.source
    if card is None:
        raise UserError(f"data set {domain.name}, tier {domain.tier}: no image source is configured")
    if missing := missing_source(domain.card, domain.tier):
        raise UserError(f"data set {domain.name}, tier {domain.tier}: missing {missing}")
    path = source_path(domain.card, card)
    if card.kind in ("latents", "samples"):
        return CodePhotos(domain, card, path)
    assert path is not None
    return SourcePhotos(domain, card, path)


def _numbered(split: str, start: int, n: int) -> tuple[str, ...]:
    return tuple(f"{split}-{i:05d}" for i in range(start, start + n))


def _named(skipped: list[Skipped], shown: int = 3) -> str:
    """Describe how many images were skipped, and the first of them with the reasons."""
    if not skipped:
        return ""
    first = "; ".join(f"{s.key} ({s.reason})" for s in skipped[:shown])
    return f"; {len(skipped)} skipped: {first}{'; ...' if len(skipped) > shown else ''}"


COUNT = 10
"""Captions per rendered photo, as in Multi-Modal CelebA-HQ."""
LARGEST = 1 << 20
"""Maximum bytes of a caption file; a real one has a few hundred."""


def say_captions(world: World, photos: Photos) -> list[tuple[str, ...]]:
    """Generate `COUNT` true captions per render, each with several attributes or none; depends on the render's name.

    Raises:
        UserError: photos of another split than train, without their factors, or of a world without captions.
    """
    grammar = find_grammar(world)
    if grammar is None:
        raise UserError(f"captions: the {world.name} world has no captions")
    wrong = next((name for name in photos.ids if not name.startswith("train-")), None)
    if wrong is not None or photos.factors is None:
        raise UserError(f"captions: asked of {wrong or 'photos without factors'}; valid: photos of the train split")
    with torch.no_grad():
        visible = world.render(photos.factors).visible
    return [
        tuple(
            grammar.sample(photos.factors[i : i + 1], visible[i : i + 1], COUNT, Random(seed_of(captions=name))).texts
        )
        for i, name in enumerate(photos.ids)
    ]


def read_captions(folder: Path, name: str) -> tuple[str, ...]:
    """Read the captions of a photo: the nonempty lines of ``<folder>/<name without extension>.txt``.

    Args:
        folder: of the texts.
        name: of the photo in its source, such as ``00012.png`` or ``train/7.jpg``.

    Raises:
        UserError: the file is missing, is not UTF-8, has a line that is not a valid prompt, or no caption.
    """
    path = folder.joinpath(*PurePosixPath(name).with_suffix(".txt").parts)
    try:
        if folder.resolve() not in path.resolve().parents:
            raise UserError(f"captions: photo {name!r} names a file outside {folder}")
        if path.stat().st_size > LARGEST:
            raise UserError(f"captions: {path} has {path.stat().st_size} bytes; valid: at most {LARGEST}")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise UserError(f"captions: {path}, the texts of photo {name}, cannot be read ({reason})") from error
    found = tuple(tidy(line) for line in lines if line.strip())
    if not found:
        raise UserError(f"captions: {path} holds none; valid: a caption per line")
    return found
