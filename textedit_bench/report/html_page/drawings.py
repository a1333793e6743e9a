"""Render every figure of the page as SVG, once for wide and once for narrow screens."""

from __future__ import annotations

from collections.abc import Iterable

from textedit_bench.report.figures.every import Drawing
from textedit_bench.report.figures.svg import to_svg

NARROW = 330.0
Shown = dict[tuple[str, str], list[tuple[str, str, str]]]
"""(kind, data set) -> words, SVG for wide and for narrow screens, in their order."""
SECTIONS = {
    "curves": (
        "Curves: effect against preservation",
        "One point per strength, from 0 (the inversion, no edit), a ring at each default; further up and right "
        "is better. Grey: controls.",
    ),
    "leakage": (
        "Leakage",
        "In edits that ask for the attribute of the row: percent in which the attribute of the column changed. Framed: "
        "what was asked for, where a high number is good; elsewhere a change is leakage. A framed number is lower "
        "than the success of the first screen: here photos that have the attribute already count as unchanged, success "
        "leaves them out.",
    ),
    "cost": (
        "Cost",
        "Milliseconds that a method computes per edited picture (logarithmic axis), without synthesis and scoring. "
        "Work that serves all strengths is divided among them. Last, in grey: controls.",
    ),
    "ranks": (
        "Ranks over all data sets",
        "Average rank over all prompts of all data sets, with its 95 % interval; 1 is best. A bar joins methods whose "
        "ranks differ by no more than Nemenyi's critical difference (5 %). This test looks at the order of methods per "
        "prompt, trained and unseen; those of the first screen look at the size of the differences.",
    ),
}
"""Title and rule of each section of drawings, in the page's order."""


def show(drawings: Iterable[Drawing]) -> Shown:
    """Render the figures that have content; pairs of methods have only one width."""
    found: Shown = {}
    for drawing in drawings:
        figures = [drawing.draw(width=width) for width in (drawing.width, NARROW)[: 1 + (drawing.kind != "pairs")]]
        label = f"{drawing.kind}: {drawing.words}" if drawing.kind != "overview" else drawing.words
        shown = [to_svg(figure, label) for figure in figures if figure is not None]
        if shown:
            found.setdefault((drawing.kind, drawing.dataset), []).append((drawing.words, shown[0], shown[-1]))
    return found
