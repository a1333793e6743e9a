"""``textedit-bench score``: compute metrics and tables of stored edits, without editing."""

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
from textedit_bench.cli.score_folders import score_pictures
from textedit_bench.errors import UserError


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
