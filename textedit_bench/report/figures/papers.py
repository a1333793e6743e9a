"""The figures of a report as PNG and PDF for papers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textedit_bench.report.collect import Collected
from textedit_bench.report.cost import cost_frame
from textedit_bench.report.figures.canvas import looks_of
from textedit_bench.report.figures.cost import draw_cost
from textedit_bench.report.figures.curves import draw_curves
from textedit_bench.report.figures.leakage import draw_leakage
from textedit_bench.report.figures.overview import draw_overview, shown_columns
from textedit_bench.report.figures.pairs import draw_pairs
from textedit_bench.report.figures.ranks import draw_ranks
from textedit_bench.report.figures.save import save_figure
from textedit_bench.report.leakage import leakage_frame
from textedit_bench.report.paired_tests import paired_tests_frame
from textedit_bench.report.ranks import ranks_frame
from textedit_bench.report.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDINGS = ("png", "pdf")


def write_plots(collected: Sequence[Collected], table: Table, folder: Path) -> list[Path]:
    """Write every figure that the records allow, each in both formats."""
    written = []
    for name, figure in _figures(collected, table):
        for ending in ENDINGS:
            path = folder / f"{name}.{ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            save_figure(figure, path)
            written.append(path)
    return written


def _figures(collected: Sequence[Collected], table: Table) -> Iterator[tuple[str, Figure]]:
    cost, leakage, looks = cost_frame(collected), leakage_frame(collected), looks_of(collected)
    for part in collected:
        rows = table.frame[table.frame["dataset"] == part.dataset]
        drawn = {
            "overview": draw_overview(rows, table.columns, looks),
            "curves": draw_curves(part, looks),
            "leakage": draw_leakage(leakage[leakage["dataset"] == part.dataset]),
            "cost": draw_cost(cost, part.dataset, looks),
        }
        yield from ((f"{part.dataset}-{name}", figure) for name, figure in drawn.items() if figure is not None)
    for (dataset, metric), rows in paired_tests_frame(collected, shown_columns(table.columns)).groupby(
        ["dataset", "metric"], sort=False
    ):
        yield f"{dataset}-pairs-{metric}", draw_pairs(rows, looks, width=400)
    for metric, rows in ranks_frame(collected).groupby("metric", sort=False):
        yield f"ranks-{metric}", draw_ranks(rows, str(metric), looks)
