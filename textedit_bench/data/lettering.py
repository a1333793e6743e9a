"""Choose fonts for text on pictures that have all its letters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import ImageFont

if TYPE_CHECKING:
    from matplotlib.font_manager import FontEntry

_NOT_A_CHARACTER = "\uffff"
_UNUSABLE = ("Last Resort", "STIX", "cm")
"""The first draws a box for everything, the others are for formulas."""


def letters(text: str, size: int) -> tuple[str, Any]:
    """Return the text in drawable form, and a font for it.

    Pillow's font if it has all letters; else the installed font with the most of them, where missing letters
    are written as code points (``U+660E``), never as empty boxes.

    Args:
        text: one line.
        size: of the font in pixels.
    """
    shown = "".join(c if c.isprintable() else " " for c in text)
    own = _default(size)
    if all(_default_has(c) for c in set(shown)):
        return shown, own
    wanted = frozenset(c for c in shown if not c.isspace())
    path, found = best_font(wanted)
    return escaped(shown, wanted - found), ImageFont.truetype(path, size) if path else own


def escaped(text: str, lacking: frozenset[str]) -> str:
    """Replace letters that no font has by their code points."""
    return "".join(f"U+{ord(c):04X} " if c in lacking else c for c in text).rstrip(" ") if lacking else text


@cache
def best_font(wanted: frozenset[str]) -> tuple[str, frozenset[str]]:
    """Return the installed font with the most of these letters, and those it has; an empty path if no font has any.

    Fonts of matplotlib count as installed, so that European letters are always there.
    """
    best: tuple[str, frozenset[str]] = ("", frozenset(c for c in wanted if _default_has(c)))
    for path in installed_fonts():
        has = frozenset(c for c in wanted if ord(c) in characters(path))
        if len(has) > len(best[1]):
            best = path, has
            if has == wanted:
                break
    return best


@cache
def installed_fonts() -> Sequence[str]:
    """List files of upright fonts, plain ones first."""
    from matplotlib.font_manager import fontManager

    def order(font: FontEntry) -> tuple[bool, bool, int, str]:
        weight = int(font.weight) if str(font.weight).isdecimal() else 900
        return font.name != "DejaVu Sans", "Sans" not in font.name, abs(weight - 400), font.fname

    usable = [f for f in fontManager.ttflist if not f.name.startswith(_UNUSABLE) and f.style == "normal"]
    return [font.fname for font in sorted(usable, key=order) if Path(font.fname).is_file()]


@cache
def characters(path: str) -> frozenset[int]:
    """Return the code points of a font file; none if it cannot be read."""
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):  # a broken file, or one that FreeType cannot read
        return frozenset()


@cache
def _default(size: int) -> Any:
    return ImageFont.load_default(size)


@cache
def _default_has(character: str) -> bool:
    """Whether Pillow's font draws a letter differently from a nonexistent one."""
    if character.isascii():
        return True
    font = _default(24)
    return bytes(font.getmask(character)) != bytes(font.getmask(_NOT_A_CHARACTER))
