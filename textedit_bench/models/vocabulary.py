"""Read the vocabularies of AttnGAN and its family (``captions.pickle``), and their tokens of a text.

Source: the released data code of AttnGAN; ControlGAN, DM-GAN, DF-GAN and ManiGAN copy it. Ids follow the order of a
Python 2 dictionary, so a vocabulary cannot be rebuilt from the captions.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textedit_bench.errors import CheckpointError, UserError
from textedit_bench.models.pickles import read_pickle
from textedit_bench.models.torch_files import torch_file_kind

PADDING = 0
"""Id of ``<end>``, which fills up shorter texts: no word of a text has it."""
MOST_WORDS = 65_536
"""COCO has 27,297."""
LARGEST = 1 << 28
"""Maximum bytes of a file; those of birds have 6 MB, with the captions of the whole data set."""
_WORD = re.compile(r"\w+")
_BROKEN = "\ufffd\ufffd"
"""How a dash of the captions' source arrived."""


@dataclass(frozen=True)
class Tokens:
    """What a vocabulary makes of a text.

    Attributes:
        ids: of the known words, in order; none is `PADDING`.
        dropped: words that the vocabulary lacks, as written in the text.
    """

    ids: tuple[int, ...]
    dropped: tuple[str, ...]


@dataclass(frozen=True)
class Vocabulary:
    """The words that a released text encoder knows.

    Attributes:
        path: its file, for messages.
        ids: word -> id, the `PADDING` included.
    """

    path: Path
    ids: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.ids)

    def find(self, text: str) -> Tokens:
        """Look up the words of a text, in lower case and without letters outside ASCII, as the released code does."""
        words = _WORD.findall(text.replace(_BROKEN, " ").lower())
        found = [self.ids.get(word.encode("ascii", "ignore").decode(), PADDING) for word in words]
        return Tokens(
            tuple(number for number in found if number != PADDING),
            tuple(word for word, number in zip(words, found, strict=True) if number == PADDING),
        )

    def tokens(self, text: str) -> Tokens:
        """Return `find`, for a text that has a known word.

        Raises:
            UserError: it has none.
        """
        found = self.find(text)
        if not found.ids:
            raise UserError(f"text {text!r}: {self.path} has none of its words; valid: at least one of its {len(self)}")
        return found


def read_vocabulary(path: str | os.PathLike[str]) -> Vocabulary:
    """Read a ``captions.pickle``: captions of both splits, id -> word, word -> id. Nothing in it is executed.

    Raises:
        CheckpointError: the file is missing, damaged, asks for anything but plain values, or is no vocabulary.
    """
    file = Path(path)
    if torch_file_kind(file) != "pickle":
        raise CheckpointError(f"{file}: no vocabulary, which is a bare pickle (captions.pickle)")
    if (size := file.stat().st_size) > LARGEST:
        raise CheckpointError(f"{file}: {size} bytes; valid: a vocabulary of at most {LARGEST}")
    with file.open("rb") as stream:
        content = read_pickle(stream, str(file), allowed={})
    if not isinstance(content, list | tuple) or len(content) < 4:
        raise CheckpointError(f"{file}: no vocabulary (expected captions twice, id -> word, word -> id)")
    return Vocabulary(file, _checked(file, content[2], content[3]))


def _checked(file: Path, words: Any, ids: Any) -> dict[str, int]:
    """Return word -> id of two dictionaries that must be each other's inverse, with all ids from 0."""
    if not isinstance(words, dict) or not isinstance(ids, dict):
        raise CheckpointError(f"{file}: no vocabulary (its third and fourth part are no dictionaries)")
    if not 2 <= len(ids) <= MOST_WORDS:
        raise CheckpointError(f"{file}: a vocabulary of {len(ids)} words; valid: 2 to {MOST_WORDS}")
    if not all(isinstance(word, str) and type(number) is int for word, number in ids.items()):
        raise CheckpointError(f"{file}: no vocabulary (word -> id holds other things than texts and whole numbers)")
    if words != {number: word for word, number in ids.items()} or set(words) != set(range(len(ids))):
        raise CheckpointError(f"{file}: a damaged vocabulary: words and ids from 0 to {len(ids) - 1} do not pair up")
    return ids
