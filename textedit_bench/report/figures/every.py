"""List every figure that the records of a bench allow, and save figures as files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textedit_bench.data.lettering import best_font, characters, escaped
from textedit_bench.files import write_atomically
from textedit_bench.report.collect import ComparableCells
from textedit_bench.report.cost import cost_frame, draw_cost, fastest
from textedit_bench.report.figures.canvas import looks_of
from textedit_bench.report.figures.overview import draw_overview, shown_columns
from textedit_bench.report.leakage import draw_leakage, largest_leak, leakage_frame
from textedit_bench.report.paired_tests import draw_pairs, paired_tests_frame
from textedit_bench.report.pooled import draw_ranks, ranks_frame
from textedit_bench.report.rows import TRAINED, UNSEEN
from textedit_bench.report.table import Table
from textedit_bench.report.tradeoff import draw_curves

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Drawing:
    """A figure that can be drawn at any width.

    Attributes:
        kind: which figure: overview, pairs, curves, leakage, cost or ranks.
        dataset: its data set; empty for all.
        name: of its files.
        words: its caption.
        draw: ``draw(width=pixels)``; returns None if there is nothing to draw.
        width: preferred width in pixels.
    """

    kind: str
    dataset: str
    name: str
    words: str
    draw: Callable[..., Figure | None]
    width: float = 580.0


def every_drawing(collected: Sequence[ComparableCells], table: Table) -> Iterator[Drawing]:
    """List every figure of every data set, then those over all data sets; methods in the order of the table."""
    looks, cost, leakage = looks_of(collected), cost_frame(collected), leakage_frame(collected)
    titles = {spec.name: f"{spec.title} {spec.arrow}" for spec in table.columns}
    shown = shown_columns(table.columns)
    tests = paired_tests_frame(collected, shown)
    for part in collected:
        name = part.dataset
        rows = table.frame[table.frame["dataset"] == name]
        place = {title: i for i, title in enumerate(table.titles(name))}
        own, times, pairs_here = (
            frame[frame["dataset"] == name].sort_values("title", key=lambda titles: titles.map(place), kind="stable")
            for frame in (leakage, cost, tests)
        )
        overview = partial(draw_overview, rows, shown, looks)
        yield Drawing("overview", name, f"{name}-overview", f"Every method on {name}", overview, 880.0)
        if part.fixed_prompts:
            pairs_here = pairs_here.assign(p=pairs_here["p_fixed"], detectable=pairs_here["detectable_fixed"])
        for metric, pairs in pairs_here.groupby("metric", sort=False):
            square = partial(draw_pairs, pairs, looks)
            yield Drawing("pairs", name, f"{name}-pairs-{metric}", titles[str(metric)], square, 400.0)
        for kind, end in ((TRAINED, ""), (UNSEEN, f"-{UNSEEN}")):
            curves = partial(draw_curves, part, looks, kind)
            yield Drawing("curves", name, f"{name}-curves{end}", f"{name}, {kind} prompts", curves, 640.0)
        yield Drawing("leakage", name, f"{name}-leakage", largest_leak(own) or name, partial(draw_leakage, own), 960.0)
        yield Drawing("cost", name, f"{name}-cost", fastest(times, looks) or name, partial(draw_cost, times, looks))
    for metric, ranks in ranks_frame(collected).groupby("metric", sort=False):
        title, first = titles.get(str(metric), str(metric)), ranks.iloc[0]
        words = f"{title}: {first['blocks']} blocks, critical difference {first['critical_difference']:.2f}"
        yield Drawing("ranks", "", f"ranks-{metric}", words, partial(draw_ranks, ranks, title, looks))


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
