"""Write the HTML report, with as many images as fit, and the figures for papers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from textedit_bench.bench.store import Store
from textedit_bench.data.destination import check_destination, check_folder
from textedit_bench.errors import UserError
from textedit_bench.files import write_text
from textedit_bench.report.control_checks import refuse_wrong_controls
from textedit_bench.report.figures.every import save_drawings
from textedit_bench.report.html_page.document import Contents, part_values, render_document
from textedit_bench.report.html_page.payload import embedded, make_grid
from textedit_bench.report.html_page.thumbnails import LARGEST, ThumbnailBook
from textedit_bench.report.table import build_table
from textedit_bench.report.table_provenance import collect_stored

NAME = "report.html"
PLOTS = "plots"
MEGABYTE = 1_000_000
_QUALITIES = ((80, LARGEST), (60, LARGEST), (45, 96), (30, 64))
"""Quality and largest side, tried in turn if one image per method and prompt is already too much."""


@dataclass(frozen=True)
class Written:
    """A report that was written.

    Attributes:
        path: the page.
        plots: pictures for papers.
        images: source images in its grids.
        size: bytes of the page.
    """

    path: Path
    plots: tuple[Path, ...]
    images: int
    size: int


def write_picture_report(
    store: Store,
    tier: str,
    *,
    datasets: Sequence[str] = (),
    images: int = 6,
    limit: float = 15 * MEGABYTE,
    output: Path | None = None,
    plots: bool = True,
) -> Written:
    """Write ``<results>/<tier>/report.html`` of all comparable stored cells, and the folder ``plots/``.

    Args:
        store: the results.
        tier: the tier; results of two are never joined.
        datasets: only these.
        images: maximum number of source images in the grids; fewer if the page would be larger than ``limit``.
        limit: maximum size of the page in bytes.
        output: path of the page; None for the default.
        plots: also write PNG and PDF files for papers.

    Raises:
        UserError: the page cannot be written there, nothing is stored, a control has wrong scores, or the page cannot
            be made small enough.
    """
    path = output or store.root / tier / NAME
    check_folder(path.parent)
    if path.parent.is_dir():
        check_destination(path)
    if plots:
        check_folder(path.parent / PLOTS)
    collected = [part for part in collect_stored(store, tier, datasets) if part.cells]
    if not collected:
        raise UserError(f"results {store.root}: no comparable cell of tier {tier}; run bench first")
    refuse_wrong_controls(collected, store.root, tier)
    contents = Contents(tuple(collected), build_table(tier, collected).for_page())
    for part in collected:
        part.put_in_order(contents.table.titles(part.dataset))
    page, shown = fit_page(contents, images, limit)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, page)
    drawn = save_drawings(contents.drawings, path.parent / PLOTS) if plots else []
    return Written(path, tuple(drawn), shown, len(page.encode()))


def fit_page(contents: Contents, images: int, limit: float) -> tuple[str, int]:
    """Render the page with the most images within the size limit; return it with their number.

    Raises:
        UserError: even one image at the lowest quality exceeds the limit.
    """
    images = min(images, max(len(part.images) for part in contents.collected))
    for quality, side in _QUALITIES:
        book, fits = ThumbnailBook(quality=quality, largest=side), ""
        parts = [part_values(contents, part, book) for part in contents.collected]
        grids = [make_grid(part, images) for part in contents.collected]
        room = limit - len(render_document(contents, parts).encode())
        metrics = {spec.name: spec.title for spec in contents.table.columns}
        for shown in range(1, images + 1):
            for grid in grids:
                grid.add_image(book)
            data = embedded({"pictures": book.uris, "metrics": metrics, "grids": [grid.to_json() for grid in grids]})
            if len(data) > room:
                break
            fits, count = data, shown
            if len(data) * (shown + 1) / shown > 1.1 * room:
                break  # images are alike: the next will not fit
        if fits:
            return render_document(contents, parts, fits), count
    raise UserError(f"report: larger than {limit / MEGABYTE:g} MB with one image already; name fewer data sets")
