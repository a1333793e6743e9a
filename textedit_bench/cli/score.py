"""``textedit-bench score``: metrics and tables of stored edits, without editing."""

from __future__ import annotations

from pathlib import Path

from textedit_bench.cli.cells import Controls, Datasets, Images, Methods, Prompts, Seed, Strengths, Threads, run
from textedit_bench.cli.options import Device, Json, Results, Settings, Tier, read_settings, split_list, split_numbers


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
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Score stored edits again where a metric changed, and write the tables anew; edits nothing.

    The options choose the cells and are those the edits were made with.

    \b
    Examples:
      textedit-bench score --method METHOD --dataset DATASET
      textedit-bench score -m METHOD -d DATASET --results elsewhere
    """
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
        "threads": threads,
        "infer": False,
    }
    run(options, json)
