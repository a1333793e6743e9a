"""``textedit-bench score``: compute metrics of stored edits, or of folders of pictures of any method."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textedit_bench.cli.cells import (
    Controls,
    Datasets,
    Images,
    Methods,
    Precision,
    Prompts,
    Seed,
    Strengths,
    Threads,
    run,
)
from textedit_bench.cli.options import Device, Json, Results, Settings, Tier, read_settings, split_list, split_numbers
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


def score(
    method: Methods = None,
    dataset: Datasets = None,
    tier: Tier = "auto",
    prompts: Prompts = None,
    images: Images = None,
    strengths: Strengths = None,
    seed: Seed = None,
    settings: Settings = None,
    controls: Controls = True,
    results: Results = Path("results"),
    device: Device = "cpu",
    precision: Precision = None,
    threads: Threads = None,
    json: Json = False,
    source: Annotated[
        Path | None,
        typer.Option("--source", metavar="FOLDER", help="To score pictures: folder of photos before the edit."),
    ] = None,
    edited: Annotated[
        Path | None,
        typer.Option("--edited", metavar="FOLDER", help="To score pictures: folder of edits with the same names."),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option("--reference", metavar="NPZ", help="With --source: statistics of real images."),
    ] = None,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="NPZ", help="With --source: write the edits' statistics.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="CSV", help="With --source: write one row per image.")
    ] = None,
) -> None:
    """Score stored edits again if a metric has changed, and rewrite the tables; edits nothing.

    The options select the cells and must be those with which the edits were made. With --source and --edited, score
    two folders of pictures from any method instead, by the same metrics.

    \b
    Examples:
      textedit-bench score --method METHOD --dataset DATASET
      textedit-bench score -d DATASET --source photos --edited edits --prompts "blond hair"
      textedit-bench score -m METHOD -d DATASET --results elsewhere
    """
    if source is not None or edited is not None:
        if method or settings or strengths or images or seed:
            raise UserError("--source: pictures have no method, strength, seed or setting; give --dataset and --prompt")
        texts, names = split_list("--prompt", prompts), split_list("--dataset", dataset)
        score_pictures(source, edited, texts, names, tier, reference, export, output, device, json)
        return
    if reference is not None or export is not None or output is not None:
        raise UserError("--reference, --export and --output: valid with --source and --edited only")
    options = {
        "methods": split_list("--method", method),
        "datasets": split_list("--dataset", dataset),
        "tier": tier,
        "prompts": split_list("--prompts", prompts),
        "images": images,
        "strengths": split_numbers("--strengths", strengths),
        "seed": seed,
        "settings": read_settings(settings),
        "controls": controls,
        "results": results,
        "device": device,
        "precision": precision,
        "threads": threads,
        "infer": False,
    }
    run(options, json)
