"""Pair pictures of two folders by name: photos and their edits."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path

from textedit_bench.data.sources.folder import picture_names
from textedit_bench.errors import UserError


def pair_pictures(source: Path, edited: Path) -> dict[str, tuple[Path, Path]]:
    """Return name without extension -> both files, sorted by name.

    Extensions may differ (``a.png`` is the edit of ``a.JPG``). If a name has no exact match, one that differs only in
    letter case or in the encoding of accents is used. Hidden files and folders are ignored.

    Raises:
        UserError: no folder, no picture in it, two pictures of one name, or one without a partner.
    """
    photos, edits = (_by_stem(option, folder) for option, folder in (("--source", source), ("--edited", edited)))
    partners = {stem: stem for stem in photos.keys() & edits.keys()}
    alike = _folded(edits.keys() - partners.keys())
    for folded, stem in _folded(photos.keys() - partners.keys()).items():
        if folded in alike:
            partners[stem] = alike[folded]
    for lonely, where in ((photos.keys() - partners.keys(), edited), (edits.keys() - set(partners.values()), source)):
        if lonely:
            raise UserError(
                f"--edited: {min(lonely)!r} (and {len(lonely) - 1} more) has no partner in {where}; valid: the same "
                f"names in both folders ({len(photos)} pictures and {len(edits)}), whatever their endings"
            )
    return {stem: (photos[stem], edits[partners[stem]]) for stem in sorted(partners)}


def _by_stem(option: str, folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise UserError(f"{option}: {folder} is not a folder")
    try:
        names = picture_names(folder)
    except UserError as error:
        raise UserError(f"{option}: {error}") from error
    found: dict[str, Path] = {}
    for name in names:
        path = folder / name
        if path.stem in found:
            both = f"{found[path.stem].name} and {name}"
            raise UserError(f"{option}: {folder} holds several pictures called {path.stem!r}: {both}")
        found[path.stem] = path
    return found


def _folded(stems: Iterable[str]) -> dict[str, str]:
    """Map names in lower case and one Unicode form to names; names that would collide are omitted."""
    folded: dict[str, list[str]] = {}
    for stem in stems:
        folded.setdefault(unicodedata.normalize("NFC", stem).casefold(), []).append(stem)
    return {key: same[0] for key, same in folded.items() if len(same) == 1}
