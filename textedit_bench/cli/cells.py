"""Options that select cells, shared by ``bench`` and ``score``."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from textedit_bench.cli.output import print_json
from textedit_bench.errors import UserError, unknown_choice

if TYPE_CHECKING:
    from textedit_bench.bench.progress import BenchSummary
    from textedit_bench.bench.request import BenchRequest

Methods = Annotated[str | None, typer.Option("--method", "-m", metavar="NAMES", help="Methods; default: all.")]
Datasets = Annotated[
    str | None, typer.Option("--dataset", "-d", metavar="NAMES", help="Data sets or cards; default: all.")
]
Prompts = Annotated[
    str | None,
    typer.Option(
        "--prompts",
        "--prompt",
        metavar="PROMPTS",
        help="Ids (see: datasets prompts) or texts; default: the evaluation prompts.",
    ),
]
Images = Annotated[int | None, typer.Option("--images", "-n", metavar="N", help="Images per prompt; default: 24.")]
Strengths = Annotated[
    str | None, typer.Option("--strengths", metavar="NUMBERS", help="Strengths, ascending; default: 9 from 0 to 3.")
]
Seed = Annotated[int | None, typer.Option("--seed", metavar="N", help="Random seed; default: 0.")]
Controls = Annotated[bool, typer.Option(help="Include the control rows.")]
Threads = Annotated[
    int | None, typer.Option("--threads", metavar="N", help="CPU threads per cell, recorded with it; default: 1.")
]

Engine = Annotated[
    str,
    typer.Option(
        "--engine", metavar="NAME", help="auto (local or processes), local, processes, ray (RAY_ADDRESS), slurm."
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers", metavar="N", help="Maximum number of workers of processes, ray or slurm; default: all that fit."
    ),
]
Devices = Annotated[
    str | None, typer.Option("--devices", metavar="LIST", help="CUDA devices such as 0,1; each gets its own worker.")
]
Precision = Annotated[
    str | None, typer.Option("--precision", metavar="NAME", help="highest (float32), tf32, or bf16 for synthesis.")
]
Gpus = Annotated[
    str | None,
    typer.Option("--gpus", metavar="SHARES", help="GPU fraction per cell on ray, such as 0.5 or METHOD=1,0.25."),
]

Shard = Annotated[
    int | None,
    typer.Option(
        "--shard", metavar="N", help="Images that are computed and stored together; default: 256 MB of pictures."
    ),
]
KeepPictures = Annotated[
    str | None,
    typer.Option(
        "--keep-pictures",
        metavar="WHICH",
        help="Pictures to store: all (default in mini), shown (the first 12; default in full) or none.",
    ),
]

Slurm = Annotated[
    list[str] | None,
    typer.Option("--slurm", metavar="NAME=VALUE", help="A parameter of submitit, for slurm; repeatable."),
]

TASKS = ("edit", "generate")


def run(options: dict[str, Any], json: bool, task: str = "edit") -> None:
    """Run the request given by the options, print its summary, and exit with its code.

    Args:
        options: fields of `BenchRequest`; None and empty stand for not given.
        json: print JSON instead of the table.
        task: one of `TASKS`.

    Raises:
        UserError: the request cannot be met.
    """
    from textedit_bench.bench.request import BenchRequest

    if task not in TASKS:
        raise unknown_choice("task", task, TASKS)
    given = {name: value for name, value in options.items() if value not in (None, (), {})}
    request = BenchRequest(**given, command=f"textedit-bench {shlex.join(sys.argv[1:])}")
    refuse_unknown_names(request)
    summary = _task(task)(request)
    if json:
        print_json(summary.to_json())
    else:
        typer.echo(summary.text(), nl=False)
    raise typer.Exit(summary.exit_code)


def rerun(ctx: typer.Context, path: Path, options: dict[str, Any], json: bool) -> NoReturn:
    """Repeat the run of a manifest, report any difference, and exit with its code: 1 if there is one.

    Args:
        ctx: the command, of which no other options may be given.
        path: the manifest.
        options: fields of `BenchRequest` that do not decide the outcome.
        json: print JSON instead of the table.

    Raises:
        UserError: the manifest cannot be rerun, or an option contradicts it.
    """
    from textedit_bench.bench.generation.session import GenerationStore
    from textedit_bench.bench.rerun import differences, read_rerun
    from textedit_bench.bench.store import Store

    free = {*options, "from_manifest", "json"}
    decided = [option for option in ctx.command.params if option.name not in free]
    given = [
        "/".join((option.opts[0], *option.secondary_opts))
        for option in decided
        if getattr(ctx.get_parameter_source(str(option.name)), "name", "") == "COMMANDLINE"
    ]
    if given:
        valid = ", ".join(option.opts[0] for option in ctx.command.params if option.name in options)
        raise UserError(f"{', '.join(given)}: the manifest decides that; valid with --from-manifest: {valid}")
    wanted = read_rerun(path, **options)
    open_store = GenerationStore if wanted.task == "generate" else Store
    summary = _task(wanted.task)(wanted.request)
    if summary.exit_code == 0:
        different = differences(wanted, open_store(wanted.request.results))
        said = "; ".join(different) if different else "every stored edit, picture and record is the same, byte for byte"
        summary = replace(summary, notes=(*summary.notes, f"rerun of {wanted.digest}: {said}"))
    else:
        different = ["failed"]
    if json:
        print_json(summary.to_json())
    else:
        typer.echo(summary.text(), nl=False)
    raise typer.Exit(summary.exit_code or int(bool(different)))


def _task(name: str) -> Callable[[BenchRequest], BenchSummary]:
    if name == "generate":
        from textedit_bench.benchmark import run_generation

        return run_generation
    from textedit_bench.benchmark import run_bench

    return run_bench


def refuse_unknown_names(request: BenchRequest) -> None:
    """Refuse unknown names early, before the runner imports torch."""
    from textedit_bench.registry import list_datasets, load_dataset, method_info, resolve_tier

    for name in request.methods:
        method_info(name)
    for card in [load_dataset(name) for name in request.datasets] or list_datasets():
        if request.tier != "auto":
            resolve_tier(card, request.tier)
