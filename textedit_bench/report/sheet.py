"""Draw picture sheets: photos with their edits, for a bench or for one command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor

from textedit_bench.bench.kept import PicturesGoneError
from textedit_bench.controls.cards import copied
from textedit_bench.data.lettering import letters
from textedit_bench.data.pixels import Pixels, to_uint8
from textedit_bench.report.collect import ComparableCells, StoredCell

IMAGES = 4
"""The first ones, whatever they look like."""
PROMPTS = 12
"""Number of prompts: the first ones, trained ones before others; a census would make the sheet too large."""
TILE = 128
_GAP, _MARGIN, _LABEL, _TITLE = 4, 10, 150, 34
_PAGE, _INK, _SOFT = (255, 255, 255), (28, 30, 33), (110, 116, 128)


@dataclass(frozen=True)
class SheetRow:
    """One row of pictures with a label on the left; None leaves a tile empty."""

    label: str
    pictures: tuple[Pixels | None, ...]


def draw_sheet(
    title: str, headings: Sequence[str], groups: Sequence[Sequence[SheetRow]], tile: int = TILE
) -> Image.Image:
    """Draw groups of rows under column headings.

    Args:
        title: one line above everything.
        headings: one text per column.
        groups: rows that belong together (one source image); a wider gap separates groups.
        tile: side of a picture in pixels.
    """
    head = 2 * 15 + _GAP
    count = sum(len(group) for group in groups)
    width = 2 * _MARGIN + _LABEL + len(headings) * (tile + _GAP)
    height = 2 * _MARGIN + _TITLE + head + count * (tile + _GAP) + (len(groups) - 1) * 2 * _GAP
    page = Image.new("RGB", (width, height), _PAGE)
    draw = ImageDraw.Draw(page)
    title, font = letters(title, 15)
    draw.text((_MARGIN, _MARGIN), title, fill=_INK, font=font)
    left = _MARGIN + _LABEL
    for i, heading in enumerate(headings):
        heading, small = letters(heading, 12)
        lines = _fit(draw, heading, small, tile, lines=2)
        top = _MARGIN + _TITLE + head - 15 * len(lines) - _GAP
        draw.multiline_text((left + i * (tile + _GAP), top), "\n".join(lines), fill=_INK, font=small, spacing=2)
    top = _MARGIN + _TITLE + head
    for group in groups:
        for row in group:
            label, small = letters(row.label, 12)
            lines = _fit(draw, label, small, _LABEL - 2 * _GAP, lines=4)
            draw.multiline_text((_MARGIN, top + _GAP), "\n".join(lines), fill=_SOFT, font=small, spacing=2)
            for i, picture in enumerate(row.pictures):
                if picture is not None:
                    page.paste(_tile(picture, tile), (left + i * (tile + _GAP), top))
            top += tile + _GAP
        top += 2 * _GAP
    return page


Photos = Mapping[str, Mapping[str, Pixels]]
"""``photo`` and ``inversion`` -> name of an image -> 8-bit [H, W, 3]; the first images."""


def method_sheet(collected: ComparableCells, title: str, cells: Sequence[StoredCell], photos: Photos) -> Image.Image:
    """Draw the sheet of one method with the controls whose steps match its own.

    Args:
        collected: all cells of the data set, the control's among them.
        title: title of the method's rows.
        cells: the method's cells of one variant and settings.
        photos: of the first images.
    """
    first, images = cells[0], list(photos["photo"])[:IMAGES]
    prompts = {cell.identity.prompt_id: _words(cell) for cell in sorted(cells, key=_trained_first)[:PROMPTS]}
    rows = sheet_rows(cells, collected.cells)
    edits = [
        (label, {cell.identity.prompt_id: _edits(cell, images) for cell in of if cell.identity.prompt_id in prompts})
        for label, of in rows.items()
    ]
    groups = []
    for image in images:
        group = []
        for i, (label, found) in enumerate(edits):
            source = (photos["photo"][image], photos["inversion"][image]) if i == 0 else (None, None)
            pictures = [found.get(prompt, {}).get(image) for prompt in prompts]
            group.append(SheetRow(label, (*source, *pictures)))
        groups.append(group)
    strength = format(first.listing.default_strength, "g")
    words = f"{title} on {collected.dataset}, tier {first.identity.tier}, strength {strength}"
    return draw_sheet(words, ["photo", "inversion", *prompts.values()], groups)


def sheet_rows(cells: Sequence[StoredCell], everything: Sequence[StoredCell]) -> dict[str, list[StoredCell]]:
    """Return title -> cells of the method, then of every control with matched steps.

    The control that shows the method's edits for other prompts is excluded: they are already on the sheet.
    """
    digests = {cell.digest for cell in cells}
    rows = {cells[0].listing.title: list(cells)}
    for cell in everything:
        if cell.identity.matched_to in digests and copied(cell.identity.method) == "step":
            rows.setdefault(cell.listing.title, []).append(cell)
    return rows


def sweep_sheet(collected: ComparableCells, title: str, cells: Sequence[StoredCell], photos: Photos) -> Image.Image:
    """Draw one picture per strength for every prompt, as `method_sheet`; prompt k is shown on its k-th image."""
    first = cells[0]
    strengths = first.identity.strengths
    rows = []
    for k, cell in enumerate(sorted(cells, key=_trained_first)[:PROMPTS]):
        asked = [name for name in photos["photo"] if name in cell.manifest.infer.ids]
        if not asked:
            continue
        image = asked[k % len(asked)]
        try:
            edits: list[Pixels | None] = [pictures[0] for pictures in cell.pictures([image], strengths)]
        except PicturesGoneError:
            edits = [None] * len(strengths)
        rows.append(SheetRow(_words(cell), (photos["photo"][image], *edits)))
    words = f"{title} on {collected.dataset}, tier {first.identity.tier}: strengths"
    return draw_sheet(words, ["photo", *(format(s, "g") for s in strengths)], [rows])


def _edits(cell: StoredCell, images: Sequence[str]) -> dict[str, Pixels]:
    """Read edits at the default strength of the prompt's images; empty if they were not kept."""
    asked = [name for name in images if name in cell.manifest.infer.ids]
    try:
        return dict(zip(asked, cell.pictures(asked, [cell.listing.default_strength])[0], strict=True)) if asked else {}
    except PicturesGoneError:
        return {}


def _words(cell: StoredCell) -> str:
    unseen = "" if cell.listing.trained else " (unseen)"
    return f"{cell.identity.prompt.words}{unseen}"


def _trained_first(cell: StoredCell) -> tuple[bool, str]:
    return (not cell.listing.trained, cell.identity.prompt_id)


def _tile(picture: Pixels, side: int) -> Image.Image:
    image = Image.fromarray(np.ascontiguousarray(picture), "RGB")
    return image.resize((side, side), Image.Resampling.LANCZOS if image.width > side else Image.Resampling.BICUBIC)


def _fit(draw: ImageDraw.ImageDraw, text: str, font: object, width: int, *, lines: int) -> list[str]:
    """Break a text into at most ``lines`` lines of at most ``width`` pixels; an ellipsis marks truncation."""
    broken = [""]
    for word in text.split():
        longer = f"{broken[-1]} {word}".strip()
        if draw.textlength(longer, font=font) <= width or not broken[-1]:  # type: ignore[arg-type]
            broken[-1] = longer
        else:
            broken.append(word)
    if len(broken) > lines:
        broken = [*broken[: lines - 1], f"{broken[lines - 1]}..."]
    return [_cut(draw, line, font, width) for line in broken]


def _cut(draw: ImageDraw.ImageDraw, line: str, font: object, width: int) -> str:
    if draw.textlength(line, font=font) <= width:  # type: ignore[arg-type]
        return line
    while line and draw.textlength(f"{line}...", font=font) > width:  # type: ignore[arg-type]
        line = line[:-1]
    return f"{line}..."


LARGEST_TILE = 512
COLUMNS = 4
"""Maximum number of pictures per row of a contact sheet."""


def draw_row(title: str, name: str, labels: Sequence[str], images: Tensor) -> Image.Image:
    """Draw images in one row, each below its label.

    Args:
        title: one line at the top.
        name: label on the left of the row.
        labels: N texts.
        images: [N, 3, H, W]; values outside [-1, 1] are clipped.
    """
    row = SheetRow(name, tuple(to_uint8(images.detach().clamp(-1, 1))))
    return draw_sheet(title, labels, [[row]], _tile_side(images.shape[-1]))


def draw_contact_sheet(title: str, pictures: Sequence[Pixels]) -> Image.Image:
    """Draw pictures in rows, numbered from 0 like their files.

    Args:
        title: one line above everything.
        pictures: at least one, 8-bit [H, W, 3], all of one size.
    """
    columns = min(COLUMNS, len(pictures))
    rows = []
    for start in range(0, len(pictures), columns):
        shown = pictures[start : start + columns]
        rows.append(SheetRow(f"{start} to {start + len(shown) - 1}", tuple(shown)))
    return draw_sheet(title, [""] * columns, [rows], _tile_side(pictures[0].shape[1]))


def _tile_side(width: int) -> int:
    return max(TILE, min(LARGEST_TILE, width))
