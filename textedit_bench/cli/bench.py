"""``textedit-bench bench``: edits, scores, tables."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textedit_bench.cli.options import Device, Json, Results, Settings, Tier, read_settings, split_list, split_numbers
from textedit_bench.cli.output import print_json

if TYPE_CHECKING:
    from textedit_bench.bench.request import BenchRequest


def bench(
    method: Annotated[
        str | None, typer.Option("--method", "-m", metavar="NAMES", help="Methods; all of them where not given.")
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", "-d", metavar="NAMES", help="Data sets or cards; all of them where not given."),
    ] = None,
    tier: Tier = "auto",
    prompts: Annotated[
        str | None,
        typer.Option(metavar="PROMPTS", help="Prompt ids or texts; the data set's evaluation prompts where not given."),
    ] = None,
    images: Annotated[
        int | None, typer.Option("--images", "-n", metavar="N", help="Images per prompt; the standard is 24.")
    ] = None,
    strengths: Annotated[
        str | None, typer.Option(metavar="NUMBERS", help="Strengths in ascending order; standard: 9 from 0 to 3.")
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Seed of everything random; the standard is 0.")] = None,
    settings: Settings = None,
    controls: Annotated[bool, typer.Option(help="Run the control rows beside the methods.")] = True,
    results: Results = Path("results"),
    device: Device = "cpu",
    threads: Annotated[
        int | None, typer.Option(metavar="N", help="CPU threads of a cell; results may depend on it; standard: 2.")
    ] = None,
    json: Json = False,
) -> None:
    """Compare methods: edit, score, write tables and pictures.

    Lists are separated by commas, or by semicolons where an item holds a comma. What is already stored is not computed
    again; an interrupted bench continues with the same command.

    \b
    Examples:
      textedit-bench bench --method METHOD --dataset DATASET
      textedit-bench bench -m METHOD -d DATASET --images 8 --strengths 0,1,2
      textedit-bench bench -m METHOD -d DATASET --prompts "blond hair; glasses"
    """
    from textedit_bench.bench.request import BenchRequest

    given = {"images": images, "seed": seed, "threads": threads, "strengths": split_numbers("--strengths", strengths)}
    request = BenchRequest(
        methods=split_list("--method", method),
        datasets=split_list("--dataset", dataset),
        tier=tier,
        prompts=split_list("--prompts", prompts),
        settings=read_settings(settings),
        controls=controls,
        results=results,
        device=device,
        command=f"textedit-bench {shlex.join(sys.argv[1:])}",
        **{name: value for name, value in given.items() if value not in (None, ())},  # type: ignore[arg-type]
    )
    _refuse_unknown_names(request)
    from textedit_bench.bench.run import run_bench

    summary = run_bench(request)
    if json:
        print_json(summary.to_json())
    else:
        typer.echo(summary.text(), nl=False)
    raise typer.Exit(summary.exit_code)


def _refuse_unknown_names(request: BenchRequest) -> None:
    """Answer misspelt names at once: the runner would too, but imports torch first."""
    from textedit_bench.registry import list_datasets, load_dataset, method_info, resolve_tier

    for name in request.methods:
        method_info(name)
    for card in [load_dataset(name) for name in request.datasets] or list_datasets():
        if request.tier != "auto":
            resolve_tier(card, request.tier)
