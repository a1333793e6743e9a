"""``textedit-bench reproduce``: measure published tables again."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from textedit_bench.cli.cells import Threads
from textedit_bench.cli.options import Device, Json, Results, Tier, split_list

ALL = "all"


def reproduce(
    experiment: Annotated[
        str | None,
        typer.Argument(metavar="[NAME|FILE|all]", help="Experiment, or several with commas; none lists them."),
    ] = None,
    tier: Tier = "auto",
    results: Results = Path("results"),
    device: Device = "cpu",
    threads: Threads = None,
    checkpoints: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Folder of this machine's trainings, for their cost.")
    ] = Path("checkpoints"),
    show: Annotated[bool, typer.Option("--show", help="Print the experiment's file, to copy and change.")] = False,
    json: Json = False,
) -> None:
    """Measure a published table or a study again, and print it next to the published values.

    Stored cells are reused. The table is written to RESULTS/TIER/experiments/.

    \b
    Examples:
      textedit-bench reproduce
      textedit-bench reproduce leaderboard --tier mini
      textedit-bench reproduce leaderboard --show > mine.yaml
      textedit-bench reproduce ./mine.yaml
    """
    from textedit_bench.experiments.catalogue import experiment_file, experiment_files, load_experiment

    if experiment is None:
        _list(json)
        return
    asked = split_list("experiment", experiment)
    names = list(experiment_files()) if asked == (ALL,) else list(asked)
    if show:
        for name in names:
            load_experiment(name)  # says what is wrong with a file, where anything is
            typer.echo(experiment_file(name).read_text(encoding="utf-8"), nl=False)
        return
    experiments = [load_experiment(name) for name in names]  # all are checked before the first runs

    from textedit_bench.cli.output import print_json
    from textedit_bench.devices import STANDARD_THREADS
    from textedit_bench.experiments.conditions import Conditions
    from textedit_bench.experiments.page import page_of
    from textedit_bench.experiments.reproduce import check
    from textedit_bench.experiments.reproduce import reproduce as run
    from textedit_bench.report.formats import render_plain_page

    conditions = Conditions(
        results=results,
        tier=tier,
        device=device,
        threads=STANDARD_THREADS if threads is None else threads,
        checkpoints=checkpoints,
        command=shlex.join(["textedit-bench", *sys.argv[1:]]),
    )
    for chosen in experiments:
        check(chosen, conditions)
    done = [found for chosen in experiments for found in run(chosen, conditions)]
    failed = [line for found in done for line in found.failed]
    if json:
        print_json(
            [
                {
                    "experiment": found.table.experiment.name,
                    "tier": found.table.tier,
                    "verdicts": {str(verdict): count for verdict, count in found.table.counts.items()},
                    "rows": found.table.frame.astype(object).where(found.table.frame.notna(), None).to_dict("records"),
                    "written": [str(path) for path in found.written],
                    "failed": list(found.failed),
                }
                for found in done
            ]
        )
    else:
        for found in done:
            typer.echo(render_plain_page(page_of(found.table)))
            counts = ", ".join(f"{count} {verdict.value}" for verdict, count in found.table.counts.items())
            typer.echo(f"published values: {counts or 'none'}")
            typer.echo("written:\n" + "\n".join(f"  {path}" for path in found.written))
        for line in failed:
            typer.echo(f"failed: {line}")
    if failed:
        raise typer.Exit(1)


def _list(json: bool) -> None:
    """List every experiment with its question."""
    from textedit_bench.cli.output import print_columns, print_json
    from textedit_bench.experiments.catalogue import experiment_files, load_experiment

    known = [load_experiment(name) for name in experiment_files()]
    if json:
        keep = ("name", "title", "question", "citation", "datasets", "methods")
        print_json([{**e.model_dump(include=set(keep)), "published": len(e.published)} for e in known])
        return
    rows = [[e.name, str(sum(v.value is not None for v in e.published)), e.title] for e in known]
    print_columns(["experiment", "published values", "title"], rows)
