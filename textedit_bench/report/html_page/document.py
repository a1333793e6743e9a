"""Render the report as one self-contained HTML document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from textedit_bench.bench.kept import PicturesGoneError
from textedit_bench.report.collect import ComparableCells
from textedit_bench.report.figures.every import Drawing, every_drawing
from textedit_bench.report.html import SECTIONS, Shown, render_self_contained, show
from textedit_bench.report.html_page.examples import RULE, Example, disagreements, ordered_examples, worst_of_all
from textedit_bench.report.html_page.thumbnails import ThumbnailBook, read_sources
from textedit_bench.report.layout import blocks, headings
from textedit_bench.report.paired_tests import can_tell_apart
from textedit_bench.report.table import Table


@dataclass(frozen=True)
class Contents:
    """Everything that a report shows, computed once for all picture sizes.

    Attributes:
        collected: the cells.
        table: the comparison table.
    """

    collected: tuple[ComparableCells, ...]
    table: Table

    @cached_property
    def drawings(self) -> tuple[Drawing, ...]:
        """Every figure."""
        return tuple(every_drawing(self.collected, self.table))

    @cached_property
    def shown(self) -> Shown:
        """Every figure as SVG for the page."""
        return show(self.drawings)


def render_document(contents: Contents, parts: Sequence[dict[str, Any]], data: str = "") -> str:
    """Render the page; user texts are escaped, the content policy allows only this page's script and style.

    Args:
        contents: what it shows.
        parts: the result of `part_values` for each data set.
        data: for its script, JSON that cannot end its element.
    """
    kinds = {kind for kind, _ in contents.shown}
    figures = [(name, *words) for name, words in SECTIONS.items() if name in kinds]
    examples = any(part["examples"] for part in parts)
    names = ["results", "pictures", *(name for name, *_ in figures), *["examples"] * examples, "tables", "notes"]
    return render_self_contained(
        "page.html",
        scripts=["tables.js", "marks.js", "page.js"],
        title=f"Text-driven editing with StyleGAN, tier {contents.table.tier}",
        lead=_lead(contents),
        sections=names,
        shown=contents.shown,
        parts=parts,
        figures=figures,
        headings=headings(contents.table),
        rule=RULE,
        notes=contents.table.footnotes,
        data=data,
    )


def _lead(contents: Contents) -> str:
    frame = contents.table.frame
    counts = {
        "method": frame.loc[~frame["control"].astype(bool), "title"].nunique(),
        "data set": len(contents.collected),
    }
    said = ", ".join(f"{count} {noun}{'s' * (count != 1)}" for noun, count in counts.items())
    images = contents.table.frame["images"].max()
    each = "per prompt" if any(part.fixed_prompts for part in contents.collected) else "each"
    return f"{said}, {images} photos {each}. Figures of another tier are not comparable with these."


def part_values(contents: Contents, collected: ComparableCells, book: ThumbnailBook) -> dict[str, Any]:
    """Return the template's values for a data set."""
    name = collected.dataset
    rows = contents.table.frame[contents.table.frame["dataset"] == name]
    methods = rows.loc[~rows["control"].astype(bool), "title"].nunique()
    prompts = ", ".join(f"{own['prompts'].max()} {kind}" for kind, own in rows.groupby("prompt_set", sort=False))
    return {
        "name": name,
        "too_few": not can_tell_apart(methods, rows["images"].iloc[0], rows["prompts"].max()),
        "size": f"{rows['images'].iloc[0]} photos, prompts: {prompts}",
        "examples": _examples(collected, book),
        "tables": blocks(replace(contents.table, frame=rows)),
    }


def _examples(part: ComparableCells, book: ThumbnailBook) -> list[tuple[str, list[dict[str, Any]]]]:
    found = {f"Worst edits of all on {part.dataset}": worst_of_all(part)}
    found |= {f"{title} on {part.dataset}": examples for title, examples in ordered_examples(part).items()}
    found[f"Largest disagreement on {part.dataset}"] = disagreements(part)
    return [(words, [_example(part, each, book) for each in examples]) for words, examples in found.items() if examples]


def _example(part: ComparableCells, example: Example, book: ThumbnailBook) -> dict[str, Any]:
    cell = example.cell
    sources = read_sources(part, [example.image])
    shown: dict[str, Any] = {"words": cell.identity.prompt.words, "caption": example.caption}
    shown["photo"] = None if sources is None else book.encode(sources["photo"][0])
    try:
        shown["edit"] = book.encode(cell.pictures([example.image], [cell.listing.default_strength])[0][0])
    except PicturesGoneError as error:
        shown |= {"edit": None, "gone": str(error)}
    return shown
