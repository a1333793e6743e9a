"""Lay out the table independent of the markup: titles, blocks, texts, bold entries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from textedit_bench.report.rows import TRAINED, ColumnSpec
from textedit_bench.report.table import Table


@dataclass(frozen=True)
class Entry:
    """One value: text, interval (may be empty), and whether it is marked as best."""

    text: str
    interval: str = ""
    bold: bool = False
    words: bool = False
    """A text instead of a number: it is escaped, and may be long."""
    value: float = np.nan
    """What the text shows, unrounded; nan if unknown."""

    @property
    def key(self) -> str:
        """By which it is sorted; empty without a value."""
        return repr(self.value) if np.isfinite(self.value) else ""


@dataclass(frozen=True)
class Line:
    """One row of a block."""

    title: str
    control: bool
    setting: str
    """The second column: a strength, or the text of another setting."""
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Block:
    """Rows that are compared with each other.

    Attributes:
        title: one line above them.
        lines: the rows.
        headings: column titles, if they are not the page's.
        notes: remarks about these rows, plain text.
    """

    title: str
    lines: tuple[Line, ...]
    headings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[bool, ...]:
        """Which columns are mostly words, which are left-aligned; the second one holds strengths or settings."""
        texts = [[not line.setting.replace(".", "", 1).isdecimal() for line in self.lines]]
        texts += map(list, zip(*([entry.words for entry in line.entries] for line in self.lines), strict=True))
        return (False, *(2 * sum(column) > len(column) for column in texts))


@dataclass(frozen=True)
class Page:
    """A table that every renderer can write.

    Attributes:
        title: one line at the top.
        headings: column titles, the row's title and its setting first.
        blocks: rows that are compared with each other.
        footnotes: plain text.
        lead: plain text at the top.
    """

    title: str
    headings: tuple[str, ...]
    blocks: tuple[Block, ...]
    footnotes: tuple[str, ...]
    lead: str = ""

    def headings_of(self, block: Block) -> tuple[str, ...]:
        """Return the column titles of a block."""
        return block.headings or self.headings


def as_page(table: Table | Page) -> Page:
    """Convert the comparison table of the bench to a page; a page is returned unchanged."""
    if isinstance(table, Page):
        return table
    title = f"Text-driven editing with StyleGAN, tier {table.tier}"
    return Page(title, tuple(headings(table)), tuple(blocks(table)), tuple(table.footnotes))


def headings(table: Table) -> list[str]:
    """Return the column titles."""
    return ["Method", "Strength", *(f"{spec.title} {spec.arrow}" for spec in table.columns)]


def blocks(table: Table) -> list[Block]:
    """Return the table's blocks, one per data set and prompt set."""
    return [
        Block(_block_title(rows), tuple(_line(row, table.columns) for _, row in rows.iterrows()))
        for _, rows in table.frame.groupby(["dataset", "prompt_set"], sort=False)
    ]


def _block_title(rows: pd.DataFrame) -> str:
    first = rows.iloc[0]
    trained = first["prompt_set"] == TRAINED
    words = "trained prompts" if trained else "unseen prompts (in no method's training list)"
    return f"{first['dataset']}, {words}: {rows['prompts'].max()} x {first['images']} images"


def _line(row: pd.Series, columns: tuple[ColumnSpec, ...]) -> Line:
    return Line(
        row["title"], row["control"], format(row["strength"], "g"), tuple(_entry(row, spec) for spec in columns)
    )


def _entry(row: pd.Series, spec: ColumnSpec) -> Entry:
    figures = [float(row[f"{spec.name}{end}"]) for end in ("", "_low", "_high")]
    return entry_of(spec, *figures, bold=bool(row[f"{spec.name}_best"]))


def entry_of(spec: ColumnSpec, point: float, low: float, high: float, *, bold: bool = False) -> Entry:
    """Return a metric's value with the ends of its interval; nan where unknown."""
    if not np.isfinite(point):
        return Entry("-")
    interval = f"[{spec.text(low)}, {spec.text(high)}]" if np.isfinite(low) and np.isfinite(high) else ""
    return Entry(spec.text(point), interval, bold, value=point)
