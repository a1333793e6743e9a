"""Replace a card's photos by a user's own: ``SOURCE=...``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textedit_bench.data.card import SourceCard, TierCard
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
