"""``textedit-bench train``: train a method's network on a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from textedit_bench.cli.options import Device, OneDataset, OneMethod, Settings, Tier, read_settings, split_list


def train(
    method: OneMethod,
    dataset: OneDataset,
    tier: Tier = "auto",
    settings: Settings = None,
    prompts: Annotated[
        str | None, typer.Option(metavar="LIST", help="Prompt ids or texts to train on, instead of the card's.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE|FOLDER",
            help="Where to write the weights, instead of into use; a folder for a method with one network per prompt.",
        ),
    ] = None,
    device: Device = "cpu",
    devices: Annotated[
        str | None, typer.Option(metavar="N|LIST|auto", help="Lightning devices, such as 2 or 0,3.")
    ] = None,
    num_nodes: Annotated[
        int | None, typer.Option("--num-nodes", metavar="N", help="Machines that train together, each with --devices.")
    ] = None,
    strategy: Annotated[str | None, typer.Option(metavar="NAME", help="Lightning strategy, such as ddp.")] = None,
    precision: Annotated[
        str | None, typer.Option(metavar="NAME", help="32-true, 16-mixed, bf16-mixed, or tf32.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Continue from the last checkpoint of the same settings.")] = True,
    logger: Annotated[str | None, typer.Option(metavar="NAME", help="csv or wandb.")] = None,
    folder: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder for checkpoints and curves; default: checkpoints.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="Seed of initial weights, data order and sampling.")
    ] = None,
    stop_after_minutes: Annotated[
        float | None,
        typer.Option(metavar="MINUTES", help="Stop after this time, with --output; the same command resumes."),
    ] = None,
) -> None:
    """Train a method on a data set; an interrupted run continues with the same command.

    The weights go to weights/ in the package of the method, for downloaded generators to the user's data folder, and
    bench and edit use them; or to --output. Checkpoints and curves go to --folder, by default ./checkpoints.

    \b
    Examples:
      textedit-bench train --method METHOD --dataset DATASET
      textedit-bench train -m METHOD -d DATASET --set epochs=2 --output METHOD.safetensors
      textedit-bench train -m METHOD -d DATASET --prompts "red hair;afro"
      textedit-bench train -m METHOD -d DATASET --device cuda --devices 2 --strategy ddp --precision bf16-mixed
    """
    from textedit_bench.data.destination import check_destination, check_folder
    from textedit_bench.errors import UserError
    from textedit_bench.registry import method_info

    info = method_info(method)
    if info.trains == "none":
        raise UserError(f"method {method!r} trains nothing")
    if stop_after_minutes is not None and output is None:
        raise UserError("--stop-after-minutes: the weights may end half-trained; keep them apart with --output FILE")

    if output is not None:
        if info.trains == "per-prompt" and not output.suffix:
            check_folder(output)
        else:
            check_destination(output, [".safetensors"], inputs=(dataset,))

    from textedit_bench.bench.prompts import check_read, plan_prompts
    from textedit_bench.domain import load_domain
    from textedit_bench.registry import new_editor
    from textedit_bench.training import RunOptions
    from textedit_bench.training.trainer import leads, own_device

    given: dict[str, Any] = {
        "devices": devices,
        "num_nodes": num_nodes,
        "strategy": strategy,
        "precision": precision,
        "resume": resume,
        "logger": logger,
        "folder": folder,
        "seed": seed,
        "stop_after_minutes": stop_after_minutes,
    }
    options, _ = RunOptions.split(given)
    domain = load_domain(dataset, tier, own_device(device, options))
    editor = new_editor(method, domain, **read_settings(settings))
    path = output or editor.weights_path()
    if path is None:
        raise UserError(
            f"method {method!r} has no place for weights of {domain.name}, tier {domain.tier}; use --output"
        )
    if output is None:  # the method's own place may not be there yet
        check_folder(path.parent if path.suffix else path)
    asked = split_list("--prompts", prompts)
    chosen = [p.prompt.without_truth for p in plan_prompts(domain.card, domain.tier, asked)] if asked else None
    check_read(domain, chosen or ())
    wanted = domain.prompts("evaluation", trained=True).values() if chosen is None else chosen
    if info.trains == "per-prompt" and path.suffix and len({prompt.words for prompt in wanted}) > 1:
        raise UserError(
            f"--output {path}: a file holds what is trained for one prompt; name one (--prompts), or a folder"
        )
    editor.fit(chosen, **{name: value for name, value in given.items() if value is not None})
    if leads(options):  # every process of a distributed run gets here
        editor.save(path)
        typer.echo(f"weights: {path}")
