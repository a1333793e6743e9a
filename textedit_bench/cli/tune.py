"""``textedit-bench tune``: choose a method's settings on development images and prompts."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from textedit_bench.cli.cells import Images, Seed, Strengths, Threads
from textedit_bench.cli.options import Device, Json, OneDataset, OneMethod, Results, Tier, read_settings, split_numbers
from textedit_bench.cli.output import print_columns, print_json


def tune(
    method: OneMethod,
    dataset: OneDataset,
    grid: Annotated[
        list[str] | None,
        typer.Option("--grid", metavar="NAME=[VALUES]", help="Values of a setting to try; repeatable."),
    ] = None,
    tier: Tier = "auto",
    images: Images = None,
    strengths: Strengths = None,
    seed: Seed = None,
    results: Results = Path("results"),
    device: Device = "cpu",
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Choose settings and strength on the development split; bench --tuned then adds a row with them.

    Every combination of the grid is run at every strength; without a grid only the strength is chosen. Evaluation
    images and prompts are never used.

    \b
    Examples:
      textedit-bench tune --method METHOD --dataset DATASET
      textedit-bench tune -m METHOD -d DATASET --strengths 0,0.5,1,1.5,2
    """
    from textedit_bench.registry import load_dataset, method_info
    from textedit_bench.tuning.choose import combinations, read_grid

    values = read_grid(grid or [], read_settings(grid, "--grid"))
    combinations(values, method_info(method))  # bad input is answered before torch is imported
    load_dataset(dataset)

    from textedit_bench.tuning.choose import TuneRequest
    from textedit_bench.tuning.choose import tune as run

    options: dict[str, Any] = {
        "images": images,
        "strengths": split_numbers("--strengths", strengths),
        "seed": seed,
        "threads": threads,
    }
    request = TuneRequest(
        method=method,
        dataset=dataset,
        tier=tier,
        grid=values,
        results=results,
        device=device,
        command=f"textedit-bench {shlex.join(sys.argv[1:])}",
        **{name: value for name, value in options.items() if value not in (None, ())},
    )
    try:
        tuned, path = run(request)
    except RuntimeError as error:
        typer.echo(f"textedit-bench: {error}", err=True)
        raise typer.Exit(1) from error
    if json:
        print_json(asdict(tuned))
        return
    rows = [
        (_text(t["settings"]), f"{t['strength']:g}", f"{t['effect']:.3f}", f"{t['kept']:.3f}", f"{t['score']:.3f}")
        for t in tuned.tried
    ]
    print_columns(("settings", "strength", "effect", "kept", "score"), rows)
    typer.echo(
        f"chosen: {_text(tuned.settings)}, strength {tuned.strength:g} ({tuned.objective}: {tuned.score:.3f}, "
        f"{len(tuned.prompts)} development prompts)"
    )
    typer.echo(f"written: {path}")
    typer.echo(f"next: textedit-bench bench --method {tuned.method} --dataset {tuned.dataset} --tuned")


def _text(settings: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in settings.items()) or "the card's settings"
