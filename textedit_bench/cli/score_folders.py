"""``textedit-bench score --source DIR --edited DIR --prompt TEXT``: score pictures of any method."""

from __future__ import annotations

from pathlib import Path

import typer

from textedit_bench.cli.output import print_columns, print_json
from textedit_bench.data.destination import check_destination
from textedit_bench.errors import UserError
from textedit_bench.files import write_text


def score_pictures(
    source: Path | None,
    edited: Path | None,
    prompt: tuple[str, ...],
    dataset: tuple[str, ...],
    tier: str,
    reference: Path | None,
    export: Path | None,
    output: Path | None,
    device: str,
    json: bool,
) -> None:
    """Score two folders of pictures and print the means with their intervals.

    Raises:
        UserError: an option is missing or does not fit.
    """
    if source is None or edited is None:
        raise UserError("--source and --edited: both folders are needed")
    if len(prompt) != 1:
        valid = "one, the text that was asked for (with a ';' at its end where it holds commas)"
        raise UserError(f"--prompt: {len(prompt)} prompts were given; valid: {valid}")
    if len(dataset) != 1:
        raise UserError(
            f"--dataset: {len(dataset)} data sets were given; valid: one, whose networks are used for scoring"
        )
    for option, folder in (("--source", source), ("--edited", edited)):
        if not folder.is_dir():
            raise UserError(f"{option}: {folder} is not a folder")

    for option, file in (("--output", output), ("--export", export)):
        if file is not None:
            check_destination(file, field=option, inputs=(reference, *dataset))
            if file.resolve().parent in (source.resolve(), edited.resolve()):
                raise UserError(f"{option} {file}: lies among the pictures that are scored; valid: another folder")
    if output is not None and export is not None and output.resolve() == export.resolve():
        raise UserError(f"--export {export}: is --output too; valid: another name")

    from textedit_bench.bench.prompts import check_read, plan_prompts
    from textedit_bench.domain import load_domain
    from textedit_bench.metrics.folders import score_folders
    from textedit_bench.metrics.statistics_file import load_statistics

    statistics = load_statistics(reference) if reference is not None else None
    domain = load_domain(dataset[0], tier, device)
    asked = plan_prompts(domain.card, domain.tier, prompt)[0].prompt
    check_read(domain, [asked])
    found = score_folders(domain, source, edited, asked, statistics)
    if output is not None:
        write_text(output, found.records.to_csv(index=False, lineterminator="\n", float_format="%.9g"))
    if export is not None:
        if found.statistics is None:
            raise UserError("--export: statistics need a feature network and at least two pictures")
        found.statistics.save(export)
    if json:
        print_json({"notes": list(found.notes), "metrics": found.summary.to_dict("records")})
        return
    rows = [
        (r["title"], f"{r['mean']:.4g}", _interval(r["low"], r["high"]), str(r["n"]), str(r["left_out"]))
        for r in found.summary.to_dict("records")
    ]
    typer.echo(f"tier {domain.tier}, judges of {domain.name}")
    print_columns(("metric", "mean", "95 % interval", "images", "left out"), rows)
    for note in found.notes:
        typer.echo(f"note: {note}")


def _interval(low: float, high: float) -> str:
    return "-" if low != low or high != high else f"[{low:.4g}, {high:.4g}]"
