"""Save figures as files: atomically, reproducibly, with fonts for every letter."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from textedit_bench.data.lettering import best_font, characters, escaped
from textedit_bench.files import write_atomically
from textedit_bench.report.figures.every import Drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 160
# Dates and versions would make equal results differ.
_METADATA: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
}


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG or PDF, depending on the path's extension."""
    show_all_letters(figure)
    form = path.suffix[1:]
    write_atomically(path, lambda target: figure.savefig(target, format=form, dpi=_DPI, metadata=_METADATA[form]))


def save_drawings(drawings: Iterable[Drawing], folder: Path) -> list[Path]:
    """Write every figure that the records allow as PNG and PDF, for papers."""
    written = []
    for drawing in drawings:
        figure = drawing.draw(width=drawing.width)
        if figure is None:
            continue
        folder.mkdir(parents=True, exist_ok=True)
        for form in _METADATA:
            written.append(folder / f"{drawing.name}.{form}")
            save_figure(figure, written[-1])
    return written


def show_all_letters(figure: Figure) -> None:
    """Assign installed fonts to texts with letters that matplotlib's font lacks, or replace these by code points."""
    from matplotlib.font_manager import FontProperties, findfont
    from matplotlib.text import Text

    own = characters(str(findfont(FontProperties(family="DejaVu Sans"))))
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        lacking = frozenset(c for c in text.get_text() if c.isprintable() and not c.isspace() and ord(c) not in own)
        if not lacking:
            continue
        path, found = best_font(lacking)
        if path:
            text.set_fontfamily(["DejaVu Sans", FontProperties(fname=path).get_name()])
        text.set_text(escaped(text.get_text(), lacking - found))
