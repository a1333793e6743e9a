"""``textedit-bench leaderboard``: result files, and the page of results from several places."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textedit_bench.cli.group import new_app
from textedit_bench.cli.options import Results, split_list
from textedit_bench.errors import unknown_choice

if TYPE_CHECKING:
    from textedit_bench.leaderboard.exported import Exported

leaderboard = new_app(help="Publish results: export them as a file, build a page of files from several places.")
TierName = Annotated[str, typer.Option("--tier", "-t", metavar="TIER", help="mini or full.")]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Whose results; the folder's name if not given.")]


def export(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The result file.")],
    tier: TierName = "mini",
    dataset: Annotated[str | None, typer.Option("--dataset", "-d", metavar="LIST", help="Only these.")] = None,
    by: By = None,
    results: Results = Path("results"),
) -> None:
    """Write the figures of a results folder into one file, with all it takes to do every run again.

    It holds no pictures, but the commands of the runs with the paths in them.

    \b
    Examples:
      textedit-bench leaderboard export --output mine.json --by "Our lab"
    """
    from textedit_bench.data.destination import check_destination
    from textedit_bench.files import write_text

    check_destination(output, [".json"])
    exported = _export(results, tier, by, split_list("--dataset", dataset))
    write_text(output, exported.model_dump_json())
    typer.echo(f"{output}: {len(exported.rows)} rows, {len(exported.runs)} runs, digest {exported.digest[:16]}")


def build(
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCES...", help="Result files, or results folders.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder of the leaderboard.")],
    tier: TierName = "mini",
) -> None:
    """Add results to a leaderboard, and write its page: one table for each way of measuring.

    Files are kept in FOLDER/entries and only ever added; one that was changed or lost is refused. Rows of other photos,
    prompts, networks or metrics never share a table.

    \b
    Examples:
      textedit-bench leaderboard build results theirs.json --output board
    """
    from textedit_bench.data.destination import check_folder
    from textedit_bench.leaderboard.board import add_files, boards_of, write_page

    check_folder(output)
    files = add_files(output, [_export(path, tier, None) if path.is_dir() else _read(path) for path in sources])
    boards = boards_of(files)
    page = write_page(output, boards)
    typer.echo(f"{page}: {len(boards)} tables, {sum(len(board.lines) for board in boards)} rows, {len(files)} files")


def manifest(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="A result file.")],
    run: Annotated[str, typer.Argument(metavar="RUN", help="Digest of one of its runs, or how it begins.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The manifest.")],
) -> None:
    """Write the manifest of a run in a result file, so that the run can be done again and compared.

    \b
    Examples:
      textedit-bench leaderboard manifest theirs.json 21c505267101 --output manifest.json
    """
    from textedit_bench.data.destination import check_destination
    from textedit_bench.files import write_json

    check_destination(output, [".json"], inputs=[source])
    runs = _read(source).runs
    found = [name for name in runs if name.startswith(run)]
    if len(found) != 1:
        raise unknown_choice("run", run, found or list(runs))
    write_json(output, runs[found[0]])
    typer.echo(f"{output}: textedit-bench bench --from-manifest {output} --results again")


def _export(folder: Path, tier: str, by: str | None, datasets: tuple[str, ...] = ()) -> Exported:
    from textedit_bench.bench.store import Store
    from textedit_bench.data.card import TIERS
    from textedit_bench.leaderboard.exported import export_results

    if tier not in TIERS:
        raise unknown_choice("tier", tier, TIERS)
    return export_results(Store(folder), tier, by or folder.resolve().name, datasets)


def _read(path: Path) -> Exported:
    from textedit_bench.documents import read_json_document
    from textedit_bench.leaderboard.exported import LARGEST, Exported

    return read_json_document(path, Exported, "result file", LARGEST)
