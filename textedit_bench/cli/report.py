"""``textedit-bench report``: write the HTML report of the stored results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textedit_bench.cli.options import Json, Results, split_list


def report(
    tier: Annotated[str, typer.Option("--tier", "-t", metavar="TIER", help="mini or full.")] = "mini",
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", "-d", metavar="LIST", help="Only these data sets; default: all stored ones."),
    ] = None,
    images: Annotated[
        int, typer.Option("--images", "-n", metavar="N", help="Maximum number of images in the grids.")
    ] = 6,
    max_mb: Annotated[
        float,
        typer.Option("--max-mb", metavar="MB", help="Maximum size of the page; to fit, fewer images are shown."),
    ] = 15.0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the page to this file.")
    ] = None,
    plots: Annotated[bool, typer.Option(help="Also write PNG and PDF figures for papers.")] = True,
    results: Results = Path("results"),
    json: Json = False,
) -> None:
    """Write one HTML page of all stored results: tables, pictures, curves, leakage, ranks, cost.

    The page needs no network and no server. It is written to RESULTS/TIER/report.html, the figures to plots/ there.

    \b
    Examples:
      textedit-bench report
      textedit-bench report --dataset DATASET --images 3 --output report.html
    """
    from textedit_bench.data.card import TIERS
    from textedit_bench.errors import UserError, unknown_choice
    from textedit_bench.ranges import check_whole

    if tier == "auto":
        tier = next((name for name in reversed(TIERS) if any((results / name).glob("*/*/*/manifest.json"))), "mini")
    if tier not in TIERS:
        raise unknown_choice("tier", tier, TIERS)
    check_whole("--images", images, low=1)
    if not max_mb > 0:
        raise UserError(f"--max-mb: {max_mb:g} is not valid; valid: numbers above 0")

    from textedit_bench.bench.store import Store
    from textedit_bench.cli.output import print_json
    from textedit_bench.report.html_page.write import MEGABYTE, write_picture_report

    written = write_picture_report(
        Store(results),
        tier,
        datasets=split_list("--dataset", dataset),
        images=images,
        limit=max_mb * MEGABYTE,
        output=output,
        plots=plots,
    )
    if json:
        print_json(
            {
                "path": str(written.path),
                "bytes": written.size,
                "images": written.images,
                "plots": [str(path) for path in written.plots],
            }
        )
        return
    typer.echo(f"{written.path} ({written.size / MEGABYTE:.1f} MB, {written.images} images per grid)")
    for path in written.plots:
        typer.echo(f"  {path}")
