"""Locate the folders outside the repository: downloaded files, data, codes, trained networks, samples."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

HOME = "TEXTEDIT_BENCH_HOME"
"""Environment variable for the root of all folders; the full tier needs tens of gigabytes."""


class PlaceError(OSError):
    """A folder cannot be written; the message says which, why, and how to move it.

    The command line reports it in one line with exit code 1, since the input was valid.
    """


@contextmanager
def reraise_write_errors(path: Path) -> Iterator[None]:
    """Convert system errors in writing below `home` to `PlaceError`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise PlaceError(f"{path}: cannot be written ({reason}); {HOME} chooses another place") from error


def home() -> Path:
    """Return the root folder: ``$TEXTEDIT_BENCH_HOME``, else the user's data folder of the operating system."""
    given = os.environ.get(HOME)
    return Path(given).expanduser() if given else Path(platformdirs.user_data_dir("textedit_bench", appauthor=False))


def assets_folder() -> Path:
    """Return the folder of downloaded weights: ``<id>/<file>``."""
    return home() / "assets"


def data_folder() -> Path:
    """Return the folder of data sets; a card's path ``ffhq/images1024x1024`` is relative to it."""
    return home() / "data"


def inversions_folder() -> Path:
    """Return the folder of cached codes of photos."""
    return home() / "inversions"


def trained_folder() -> Path:
    """Return the folder of locally trained networks: for downloaded generators, or trained by an edit."""
    return home() / "trained"


def prepared_folder() -> Path:
    """Return the folder of editors' data per network, such as samples and statistics, which can be recomputed."""
    return home() / "prepared"
