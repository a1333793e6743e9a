"""Captions of photos: from a world's grammar, or from text files of a source."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from random import Random
from typing import TYPE_CHECKING

import torch

from textedit_bench.data.wording import tidy
from textedit_bench.errors import UserError
from textedit_bench.seeds import seed_of
from textedit_bench.worlds.captions import find_grammar

if TYPE_CHECKING:
    from textedit_bench.photos import Photos
    from textedit_bench.worlds.world import World

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
