"""``textedit-bench bench``: edit, score, and write tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textedit_bench.cli.cells import (
    Controls,
    Datasets,
    Devices,
    Engine,
    Gpus,
    Images,
    KeepPictures,
    Methods,
    Precision,
    Prompts,
    Seed,
    Shard,
    Slurm,
    Strengths,
    Threads,
    Workers,
    rerun,
    run,
)
from textedit_bench.cli.options import (
    Device,
    Json,
    Results,
    Settings,
    Source,
    Tier,
    read_cards,
    read_settings,
    read_shares,
    split_list,
    split_numbers,
)
from textedit_bench.ranges import check_whole


def bench(
    ctx: typer.Context,
    method: Methods = None,
    dataset: Datasets = None,
    task: Annotated[
        str, typer.Option("--task", metavar="TASK", help="edit photos, or generate pictures from texts.")
    ] = "edit",
    tier: Tier = "auto",
    source: Source = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="quick (default): a few prompts; census: everything that the world of the mini tier can show.",
        ),
    ] = None,
    prompts: Prompts = None,
    images: Images = None,
    strengths: Strengths = None,
    seed: Seed = None,
    settings: Settings = None,
    controls: Controls = True,
    tuned: Annotated[
        bool, typer.Option("--tuned", help="Add a row per method with the settings that tune chose.")
    ] = False,
    results: Results = Path("results"),
    device: Device = "cpu",
    devices: Devices = None,
    precision: Precision = None,
    threads: Threads = None,
    engine: Engine = "auto",
    workers: Workers = None,
    gpus: Gpus = None,
    slurm: Slurm = None,
    shard: Shard = None,
    keep_pictures: KeepPictures = None,
    from_manifest: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Repeat a stored run from its manifest.json, into other --results."),
    ] = None,
    logger: Annotated[
        str | None, typer.Option(metavar="NAME", help="wandb: also log to Weights & Biases (offline by default).")
    ] = None,
    json: Json = False,
) -> None:
    """Compare methods: edit, score, write tables and pictures.

    Separate list items by commas, or by semicolons if an item contains a comma. The bench is made of cells: one method
    on one data set by one prompt. Stored cells are reused; to continue an interrupted bench, repeat the command.

    If --source has fewer photos than the standard number, all are used; if none are left as reference photos, metrics
    that need reference photos are omitted.

    \b
    Examples:
      textedit-bench bench --method METHOD --dataset DATASET
      textedit-bench bench -m METHOD -d DATASET --images 8 --strengths 0,1,2
      textedit-bench bench -m METHOD -d DATASET --prompts "blond hair; glasses"
      textedit-bench bench --protocol census -d DATASET
      textedit-bench bench --task generate -m GENERATOR -d DATASET
      textedit-bench bench -m METHOD -d DATASET --engine processes --workers 4
      textedit-bench bench -d DATASET --engine slurm --workers 8 --device cuda --slurm slurm_partition=gpu
      textedit-bench bench --from-manifest results/mini/DATASET/METHOD/DIGEST/manifest.json --results again
    """
    for option, value in (("--workers", workers), ("--shard", shard)):
        if value is not None:
            check_whole(option, value, low=1)
    if from_manifest is not None:
        free = {
            "results": results,
            "device": device,
            "devices": read_cards("--devices", devices),
            "engine": engine,
            "workers": workers or 0,
            "gpus": read_shares("--gpus", gpus),
            "slurm": read_settings(slurm, "--slurm"),
        }
        rerun(ctx, from_manifest, free, json)
    options = {
        "methods": split_list("--method", method),
        "datasets": split_list("--dataset", dataset),
        "tier": tier,
        "source": source,
        "protocol": protocol,
        "prompts": split_list("--prompts", prompts),
        "images": images,
        "fewer": source is not None and images is None,
        "strengths": split_numbers("--strengths", strengths),
        "seed": seed,
        "settings": read_settings(settings),
        "controls": controls,
        "tuned": tuned,
        "results": results,
        "device": device,
        "devices": read_cards("--devices", devices),
        "precision": precision,
        "threads": threads,
        "engine": engine,
        "workers": workers,
        "gpus": read_shares("--gpus", gpus),
        "slurm": read_settings(slurm, "--slurm"),
        "shard": shard,
        "keep_pictures": keep_pictures,
        "logger": logger,
    }
    run(options, json, task)
