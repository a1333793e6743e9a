"""Read settings that trainers store with the tensors, from many libraries, as plain values or not at all."""

from __future__ import annotations

import argparse
import datetime
import pathlib
from collections.abc import Callable
from typing import Any

import torch

from textedit_bench.models.pickles import PlainDict

INERT = ("omegaconf.", "typing.", "ml_collections.", "hydra.", "enum.")
"""Libraries whose objects only remember what they were given."""


def _path(*parts: str) -> str:
    """Return a path as text, since paths of another operating system cannot be created here."""
    return str(pathlib.PurePosixPath(*parts))


def _empty(*_given: Any) -> PlainDict:
    """Return a dictionary whose items follow, without its factory of missing items."""
    return PlainDict()


HARMLESS: dict[str, Callable[..., Any]] = {
    "argparse.Namespace": argparse.Namespace,
    "collections.defaultdict": _empty,
    "collections.Counter": _empty,
    "torch.Size": tuple,
    "torch.device": lambda *given: ":".join(map(str, given)),
    **{f"datetime.{kind.__name__}": kind for kind in (datetime.datetime, datetime.date, datetime.timedelta)},
    **dict.fromkeys(("easydict.EasyDict", "addict.addict.Dict", "munch.Munch", "yacs.config.CfgNode"), PlainDict),
}
for _module in ("builtins", "__builtin__"):  # the second in the protocol that PyTorch writes
    for _plain in (int, float, str, bool, list, dict, tuple, complex, frozenset):
        HARMLESS[f"{_module}.{_plain.__name__}"] = _plain
for _module in ("pathlib", "pathlib._local"):
    for _kind in ("Path", "PosixPath", "WindowsPath", "PurePath", "PurePosixPath", "PureWindowsPath"):
        HARMLESS[f"{_module}.{_kind}"] = _path
NAMED: dict[str, Any] = {
    f"torch.{dtype}".replace("torch.torch.", "torch."): dtype
    for dtype in vars(torch).values()
    if isinstance(dtype, torch.dtype)
}
"""Values that are stored by name alone."""
