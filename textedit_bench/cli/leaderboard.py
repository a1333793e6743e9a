"""``textedit-bench leaderboard``: result files, and the page of results from several places."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textedit_bench.cli.options import Results, new_app, split_list

leaderboard = new_app(help="Publish results: export them as a file, build a page of files from several places.")
TierName = Annotated[str, typer.Option("--tier", "-t", metavar="TIER", help="mini or full.")]


def export(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The result file.")],
    by: Annotated[str, typer.Option(metavar="NAME", help="Whose results these are.")],
    tier: TierName = "mini",
    dataset: Annotated[str | None, typer.Option("--dataset", "-d", metavar="LIST", help="Only these.")] = None,
    results: Results = Path("results"),
) -> None:
    """Write the figures of a results folder into one file, with all it takes to do every run again.

    It holds no pictures, but the commands of the runs with the paths in them.

    \b
    Examples:
      textedit-bench leaderboard export --by "Our lab" --output ours.json
    """
    from textedit_bench.bench.store import Store
    from textedit_bench.data.destination import check_destination
    from textedit_bench.files import write_text
    from textedit_bench.leaderboard.exported import export_results

    check_destination(output, [".json"])
    found = export_results(Store(results), tier, by, split_list("--dataset", dataset))
    write_text(output, found.model_dump_json())
    typer.echo(f"{output}: {len(found.rows)} rows, {len(found.runs)} runs, digest {found.digest[:16]}")


def build(
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCES...", help="Result files, or results folders.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder of the leaderboard.")],
    tier: TierName = "mini",
) -> None:
    """Add results to a leaderboard, and write its page, FOLDER/index.html: one table for each way of measuring.

    Files are kept in FOLDER/entries and only ever added; one that was changed or lost is refused. Rows of other photos,
    prompts, networks or metrics never share a table. FOLDER/runs has what bench --from-manifest needs.

    \b
    Examples:
      textedit-bench leaderboard build results theirs.json --output board
    """
    from textedit_bench.bench.store import Store
    from textedit_bench.data.destination import check_folder
    from textedit_bench.documents import read_json_document
    from textedit_bench.leaderboard.board import add_files, boards_of, write_page
    from textedit_bench.leaderboard.exported import LARGEST, Exported, export_results

    check_folder(output)
    given = [
        export_results(Store(path), tier, path.resolve().name)
        if path.is_dir()
        else read_json_document(path, Exported, "result file", LARGEST)
        for path in sources
    ]
    files = add_files(output, given)
    boards = boards_of(files)
    page = write_page(output, boards)
    typer.echo(f"{page}: {len(boards)} tables, {sum(len(board.lines) for board in boards)} rows, {len(files)} files")
