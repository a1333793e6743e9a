"""List every figure that the records of a bench allow, for the page and for papers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textedit_bench.report.collect import ComparableCells
from textedit_bench.report.cost import cost_frame, fastest
from textedit_bench.report.figures.canvas import looks_of
from textedit_bench.report.figures.cost import draw_cost
from textedit_bench.report.figures.curves import draw_curves
from textedit_bench.report.figures.leakage import draw_leakage
from textedit_bench.report.figures.overview import draw_overview, shown_columns
from textedit_bench.report.figures.pairs import draw_pairs
from textedit_bench.report.figures.ranks import draw_ranks
from textedit_bench.report.leakage import largest_leak, leakage_frame
from textedit_bench.report.paired_tests import paired_tests_frame
from textedit_bench.report.ranks import ranks_frame
from textedit_bench.report.rows import TRAINED, UNSEEN
from textedit_bench.report.table import Table

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
