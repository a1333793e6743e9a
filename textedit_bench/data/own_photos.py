"""A user's own photos in place of the card's: ``SOURCE=...``, and splits by their number, since no card states them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from textedit_bench.data.card import SourceCard, Split, TierCard
from textedit_bench.errors import UserError

SAMPLES = "samples"
_CODES = (".pt", ".pth", ".npy", ".npz", ".safetensors")


def choose_source(text: str, tier: TierCard) -> SourceCard:
    """Return the source that a user names, for one tier; photos are cropped like the card's own.

    Args:
        text: ``samples``, or a path, whose kind is detected.
        tier: the tier whose photos are replaced.

    Raises:
        UserError: nothing exists there, or the file is not a source.
    """
    own = tier.source
    if text == SAMPLES:
        return own if own is not None and own.kind == SAMPLES else SourceCard(kind="samples")
    path = Path(text).expanduser().absolute()
    if not path.exists():
        raise UserError(
            f"source {text}: no such file or folder; valid: {SAMPLES}, or a folder, zip, LMDB or file of codes"
        )
    if path.suffix.lower() in _CODES and path.is_file():
        return SourceCard(kind="latents", path=str(path))
    crop: dict[str, Any] = {"crop": "square" if tier.height is None else "wide"}
    if own is not None and tier.has_photos:
        crop = {"crop": own.crop, "min_side": own.min_side}
    if path.is_dir():
        return SourceCard(kind="lmdb" if (path / "data.mdb").is_file() else "folder", path=str(path), **crop)
    if path.suffix.lower() == ".zip":
        return SourceCard(kind="zip", path=str(path), **crop)
    raise UserError(f"source {text}: unknown ending {path.suffix!r}; valid: .zip, {', '.join(_CODES)}, or a folder")


ORDER: tuple[Split, ...] = ("evaluation", "development", "train")
"""Evaluation comes first, then the split for choosing settings, then training and reference photos."""


def fit_splits(splits: Mapping[Split, int], there: int) -> dict[Split, int]:
    """Return disjoint splits for a source with ``there`` photos, none larger than on the card.

    Each split takes from the photos that those before it in `ORDER` leave; the last ones may be empty.
    """
    fitted: dict[Split, int] = {}
    for name in ORDER:
        if name in splits:
            fitted[name] = min(splits[name], there - sum(fitted.values()))
    return fitted


def count_entries(source: SourceCard, most: int) -> int:
    """Count the pictures or codes of a source, at most up to ``most``; nothing is decoded.

    Raises:
        UserError: nothing exists there, or the layout is wrong.
    """
    if source.path is None:  # samples are unlimited
        return most
    path = Path(source.path)
    if source.kind == "latents":
        from textedit_bench.data.codes import count_codes

        found = min(most, count_codes(path))
        if not found:
            raise UserError(f"source {path}: holds no codes")
        return found
    from textedit_bench.data.sources import open_source

    return sum(1 for _ in islice(open_source(source.kind, path).entries(), most))
