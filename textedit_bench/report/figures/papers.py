"""Write the figures of a report as PNG and PDF for papers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from textedit_bench.report.figures.every import Drawing
from textedit_bench.report.figures.save import save_figure

ENDINGS = ("png", "pdf")


def write_plots(drawings: Iterable[Drawing], folder: Path) -> list[Path]:
    """Write every figure that the records allow, each in both formats."""
    written = []
    for drawing in drawings:
        figure = drawing.draw(width=drawing.width)
        if figure is None:
            continue
        for ending in ENDINGS:
            path = folder / f"{drawing.name}.{ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            save_figure(figure, path)
            written.append(path)
    return written
