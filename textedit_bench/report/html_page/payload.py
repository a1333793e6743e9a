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
from textedit_bench.report.html_page.thumbnails import ThumbnailBook, read_sources
from textedit_bench.report.rows import PERCENT, titled

VALUES = ("success", "preservation", "clip_direction", "identity", "lpips")
"""Metrics shown next to an opened picture, if they were measured."""
Values = dict[str, list[float | None]]


@dataclass
class Grid:
    """One data set's grid of pictures.

    Attributes:
        collected: its cells.
        strengths: of every strip.
        prompts: words and whether a method was trained on them.
        methods: title, default strength, control.
        cells: ``"method/prompt"`` (positions) -> the cell, and its values by image.
        images: ids with positions of their photo and inversion in the book.
        strips: ``"method/prompt/image"`` (positions) -> position in the book.
        values: the same keys -> metric -> one value per strength, null if there is none.
    """

    collected: ComparableCells
    strengths: list[float]
    prompts: list[dict[str, Any]]
    methods: list[dict[str, Any]] = field(default_factory=list)
    cells: dict[str, tuple[StoredCell, dict[str, Values]]] = field(default_factory=dict)
    images: list[dict[str, Any]] = field(default_factory=list)
    strips: dict[str, int] = field(default_factory=dict)
    values: dict[str, Values] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        names = ("strengths", "prompts", "methods", "images", "strips", "values")
        return {"name": self.collected.dataset, **{name: getattr(self, name) for name in names}}

    def add_image(self, book: ThumbnailBook) -> None:
        """Encode the next image's photo, inversion and edits; nothing if there is none.

        A prompt that is not used on an image leaves an empty place.
        """
        k = len(self.images)
        for image in self.collected.images[k : k + 1]:
            sources = read_sources(self.collected, [image])
            shown = {name: sources and book.add(list(sources[name])) for name in ("photo", "inversion")}
            self.images.append({"id": image, **shown})
            for key, (cell, scored) in self.cells.items():
                if image not in scored:
                    continue
                with suppress(PicturesGoneError):  # the page leaves an empty place, as for a prompt without an edit
                    edits = cell.pictures([image], cell.identity.strengths)
                    self.strips[f"{key}/{k}"] = book.add([edit[0] for edit in edits])
                    self.values[f"{key}/{k}"] = scored[image]


def make_grid(collected: ComparableCells, count: int) -> Grid:
    """Prepare a grid without pictures, to which the first ``count`` images, without selection, can be added.

    Rows are the methods and the independent controls; those that copy a method (its step, its edits for another prompt)
    are only in the tables.
    """
    rows = [row for row in collected.rows if not row.matched]
    prompts = _prompts(collected)
    where = {prompt: i for i, prompt in enumerate(prompts)}
    words = [{"words": words, "trained": trained} for words, trained in prompts.values()]
    grid = Grid(collected, [float(s) for s in rows[0].cells[0].identity.strengths], words)
    for m, (title, row, cells) in enumerate(titled(rows)):
        grid.methods.append({"title": title, "default": float(row.strength), "control": row.control})
        for cell in cells:
            grid.cells[f"{m}/{where[cell.identity.prompt_id]}"] = (cell, _values(cell, collected.images[:count]))
    return grid


def embedded(value: Any) -> str:
    """Encode JSON so that it cannot end its script element."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _prompts(collected: ComparableCells) -> dict[str, tuple[str, bool]]:
    """Return prompt id -> (text, trained), trained ones first."""
    found = {}
    for cell in sorted(collected.cells, key=lambda c: (not c.listing.trained, c.identity.prompt_id)):
        found[cell.identity.prompt_id] = (cell.identity.prompt.words, bool(cell.listing.trained))
    return found


def _values(cell: StoredCell, images: Sequence[str]) -> dict[str, Values]:
    """Return the values of the cell's images: image -> metric -> one rounded value per strength, shares in percent."""
    records = cell.records()
    shown = [image for image in images if image in cell.manifest.infer.ids]
    chosen = records[records["metric"].isin(VALUES)]
    chosen = chosen[chosen["image"].isin(shown) & (chosen["state"] == OK)]
    wide = chosen.pivot(index=["image", "metric"], columns="strength", values="value")
    wide = wide.reindex(columns=cell.identity.strengths)
    found: dict[str, Values] = {image: {} for image in shown}
    for (image, metric), row in zip(wide.index, wide.to_numpy(), strict=True):
        numbers = np.round(100 * row, 1) if metric in PERCENT else np.round(row, 4)
        found[image][metric] = [float(number) if np.isfinite(number) else None for number in numbers]
    return {image: {name: own[name] for name in VALUES if name in own} for image, own in found.items()}
