"""Every drawing of the page as SVG, once for wide and once for narrow screens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from textedit_bench.report.figures.svg import to_svg
from textedit_bench.report.leakage import leakage_frame
from textedit_bench.report.paired_tests import paired_tests_frame
from textedit_bench.report.ranks import ranks_frame
from textedit_bench.report.rows import TRAINED, UNSEEN
from textedit_bench.report.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Pair = tuple[str, str]
Cards = list[tuple[str, Pair]]
WIDE, NARROW = 640.0, 330.0
FIGURES = {
    "curves": (
        "Curves: effect against preservation",
        "One point per strength, a ring at each method's default; further up and right is better. Grey: controls.",
    ),
    "leakage": (
        "Leakage",
        "Percent of edits whose attribute (columns) the oracle reads differently than before, by what was asked "
        "(rows). Framed: what was asked for, where a high number is success; everywhere else it is leakage.",
    ),
    "cost": (
        "Cost",
        "Milliseconds per edited picture on a logarithmic axis, synthesis and judging apart. Where one computation "
        "serves all strengths, they share its time.",
    ),
}
"""Title and rule of each section of drawings, in the page's order."""


class Drawings:
    """What is drawn of a report: per data set by the names of `FIGURES`, and over all data sets."""

    def __init__(self, collected: Sequence[Collected], table: Table) -> None:
        looks, cost, leakage = looks_of(collected), cost_frame(collected), leakage_frame(collected)
        titles = {spec.name: f"{spec.title} {spec.arrow}" for spec in table.columns}
        tests = paired_tests_frame(collected, shown_columns(table.columns))
        self.overview: dict[str, Pair | None] = {}
        self.pairs: dict[str, list[Pair]] = {}
        self.cards: dict[str, dict[str, Cards]] = {}
        for part in collected:
            name = part.dataset
            rows = table.frame[table.frame["dataset"] == name]
            own = leakage[leakage["dataset"] == name]
            label = f"Every method on {name}"
            self.overview[name] = _both(label, draw_overview, rows, table.columns, looks, wide=800.0)
            self.pairs[name] = [
                (titles[metric], to_svg(draw_pairs(of, looks, width=400.0), f"Who beats whom on {name} by {metric}"))
                for metric, of in tests[tests["dataset"] == name].groupby("metric", sort=False)
            ]
            kinds = {f"{name}, {kind} prompts": kind for kind in (TRAINED, UNSEEN)}
            self.cards[name] = {
                "curves": _cards(
                    {words: _both(words, draw_curves, part, looks, kind) for words, kind in kinds.items()}
                ),
                "leakage": _cards({name: _both(f"Leakage on {name}", draw_leakage, own, wide=960.0)}),
                "cost": _cards({name: _both(f"Time per edit on {name}", draw_cost, cost, name, looks)}),
            }
        ranks = {}
        for metric, rows in ranks_frame(collected).groupby("metric", sort=False):
            words, first = titles.get(str(metric), str(metric)), rows.iloc[0]
            said = f"{words}: {first['blocks']} blocks, critical difference {first['critical_difference']:.2f}"
            ranks[said] = _both(f"Average ranks by {words}", draw_ranks, rows, words, looks)
        self.ranks = _cards(ranks)


def _both(label: str, draw: Callable[..., Figure | None], *given: object, wide: float = WIDE) -> Pair | None:
    """A figure for both kinds of screens; None where there is nothing to draw."""
    figures = [draw(*given, width=width) for width in (wide, NARROW)]
    first, second = (None if figure is None else to_svg(figure, label) for figure in figures)
    return None if first is None or second is None else (first, second)


def _cards(drawn: dict[str, Pair | None]) -> Cards:
    return [(words, pair) for words, pair in drawn.items() if pair is not None]
