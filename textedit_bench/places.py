"""Name the folders outside the repository: fetched files, data, codes, trained networks, samples."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

HOME = "TEXTEDIT_BENCH_HOME"
"""Environment variable that moves all of them; they need tens of gigabytes at the full tier."""


class PlaceError(OSError):
    """Nothing can be written there; the message says where, why, and what moves it.

    The command line makes it one line and exit code 1: the user's words were right.
    """


@contextmanager
def reraise_write_errors(path: Path) -> Iterator[None]:
    """Turn the system's error while something below `home` is written into a `PlaceError`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise PlaceError(f"{path}: cannot be written ({reason}); {HOME} chooses another place") from error


def home() -> Path:
    """The folder above all others: ``$TEXTEDIT_BENCH_HOME``, else the user's data folder of the operating system."""
    given = os.environ.get(HOME)
    return Path(given).expanduser() if given else Path(platformdirs.user_data_dir("textedit_bench", appauthor=False))


def assets_folder() -> Path:
    """Fetched weights: ``<id>/<file>``."""
    return home() / "assets"


def data_folder() -> Path:
    """Data sets; what a card calls ``ffhq/images1024x1024`` lies below it."""
    return home() / "data"


def inversions_folder() -> Path:
    """Codes of photos that were inverted before."""
    return home() / "inversions"


def trained_folder() -> Path:
    """Networks that were trained here: on fetched generators, or because an edit needed them."""
    return home() / "trained"


def prepared_folder() -> Path:
    """What editors need once per network, such as samples and their statistics; all of it can be made again."""
    return home() / "prepared"
