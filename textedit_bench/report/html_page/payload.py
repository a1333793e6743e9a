"""Collect a data set's data for the page's script: pictures by method, prompt and image, and their values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from textedit_bench.bench.kept import PicturesGoneError
from textedit_bench.metrics.column import OK
from textedit_bench.report.collect import ComparableCells, StoredCell
from textedit_bench.report.html_page.thumbnails import ThumbnailBook, read_sources, read_strengths
from textedit_bench.report.rows import RowCells

VALUES = ("success", "preservation", "clip_direction", "identity_inversion", "lpips_inversion")
"""Metrics shown next to an opened picture, if they were measured."""


@dataclass
class Grid:
    """One data set's grid of pictures.

    Attributes:
        name: the data set.
        side: displayed width of one picture in pixels.
        strengths: of every strip.
        images: ids with positions of their photo and inversion in the book.
        methods: title, default strength, control.
        prompts: words and whether a method was trained on them.
        strips: ``"method/prompt/image"`` (positions) -> position in the book.
        values: the same keys -> metric -> one value per strength, null if there is none.
    """

    name: str
    strengths: list[float]
    images: list[dict[str, Any]] = field(default_factory=list)
    methods: list[dict[str, Any]] = field(default_factory=list)
    prompts: list[dict[str, Any]] = field(default_factory=list)
    strips: dict[str, int] = field(default_factory=dict)
    values: dict[str, dict[str, list[float | None]]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return dict(self.__dict__)


def make_grid(collected: ComparableCells, book: ThumbnailBook, count: int) -> Grid:
    """Encode the strips of the first ``count`` images, without selection.

    A prompt that is not used on an image leaves an empty place. Rows are the methods and the independent controls;
    those that copy a method (its step, its edits for another prompt) are only in the tables.
    """
    rows = _rows(collected)
    first = rows[0].cells[0]
    grid = Grid(collected.dataset, [float(s) for s in first.identity.strengths])
    prompts = _prompts(collected)
    grid.prompts = [{"words": words, "trained": trained} for words, trained in prompts.values()]
    where = {prompt: i for i, prompt in enumerate(prompts)}
    images = collected.images[:count]
    sources = read_sources(collected, images)
    for k, image in enumerate(images):
        shown: dict[str, Any] = {"id": image}
        for name in ("photo", "inversion"):
            shown[name] = None if sources is None else book.add([sources[name][k]])
        grid.images.append(shown)
    for m, (title, row, cells) in enumerate(_titled(rows)):
        grid.methods.append({"title": title, "default": float(row.strength), "control": row.control})
        for cell in cells:
            scored = _values(cell, images)
            for k, image in enumerate(images):
                if image not in scored:
                    continue
                key = f"{m}/{where[cell.identity.prompt_id]}/{k}"
                with suppress(PicturesGoneError):  # the page leaves an empty place, as for a prompt without an edit
                    grid.strips[key] = book.add(read_strengths(cell, image))
                    grid.values[key] = scored[image]
    return grid


def embedded(value: Any) -> str:
    """Encode JSON so that it cannot end its script element."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _rows(collected: ComparableCells) -> list[RowCells]:
    return [row for row in collected.rows if not row.matched]


def _titled(rows: list[RowCells]) -> list[tuple[str, RowCells, list[StoredCell]]]:
    """Join rows of the same title: a method's trained and unseen prompts form one line of the grid."""
    joined: dict[str, tuple[RowCells, list[StoredCell]]] = {}
    for row in rows:
        joined.setdefault(row.title, (row, []))[1].extend(row.cells)
    return [(title, row, cells) for title, (row, cells) in joined.items()]


def _prompts(collected: ComparableCells) -> dict[str, tuple[str, bool]]:
    """Return prompt id -> (text, trained), trained ones first."""
    found = {}
    for cell in sorted(collected.cells, key=lambda c: (not c.listing.trained, c.identity.prompt_id)):
        prompt = cell.identity.prompt
        words = prompt.phrase or prompt.target
        found[cell.identity.prompt_id] = (words, bool(cell.listing.trained))
    return found


def _values(cell: StoredCell, images: Sequence[str]) -> dict[str, dict[str, list[float | None]]]:
    """Return the values of the cell's images: metric -> one rounded value per strength."""
    records = cell.records()
    shown = [image for image in images if image in cell.manifest.infer.ids]
    chosen = records[records["metric"].isin(VALUES) & records["image"].isin(shown) & (records["state"] == OK)]
    found: dict[str, dict[str, list[float | None]]] = {image: {} for image in shown}
    for (image, metric), own in chosen.groupby(["image", "metric"], sort=False, observed=True):
        values = dict(zip(own["strength"], own["value"], strict=True))
        found[image][metric] = [_rounded(values.get(strength, np.nan)) for strength in cell.identity.strengths]
    return {image: {name: own[name] for name in VALUES if name in own} for image, own in found.items()}


def _rounded(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
