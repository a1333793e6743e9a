"""``textedit-bench worlds``: draw, train and check the procedural worlds of the mini tier."""

from __future__ import annotations

from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from textedit_bench.cli.options import Json, OneDataset, new_app
from textedit_bench.cli.output import print_columns, print_json
from textedit_bench.errors import UserError

worlds = new_app(help="Inspect the procedural worlds of the mini tier, and rebuild their networks.")

KINDS = ("renders", "samples", "inversions")


def sheet(
    dataset: OneDataset,
    kind: Annotated[
        str, typer.Option("--kind", metavar="KIND", help="renders, samples (of the generator) or inversions.")
    ] = "renders",
    number: Annotated[int, typer.Option("--number", "-n", metavar="N", help="Number of pictures.")] = 64,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Random seed.")] = 0,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Picture to write.")] = Path(
        "sheet.png"
    ),
) -> None:
    """Draw a sheet of pictures: renders, samples of the generator, or inversions.

    \b
    Examples:
      textedit-bench worlds sheet --dataset DATASET
      textedit-bench worlds sheet --dataset DATASET --kind samples -o samples.png
    """
    from textedit_bench.data.destination import check_destination
    from textedit_bench.data.photo import write_grid
    from textedit_bench.data.pixels import FORMATS
    from textedit_bench.errors import UserError, unknown_choice

    if kind not in KINDS:
        raise unknown_choice("kind", kind, KINDS)
    if not 1 <= number <= 4096:
        raise UserError(f"--number: {number} is out of range; valid: 1 to 4096")
    check_destination(output, FORMATS)
    from textedit_bench.domain import load_domain
    from textedit_bench.worlds.sheet import pictures

    write_grid(pictures(load_domain(dataset, "mini"), kind, number, seed), output)
    typer.echo(output)


def check(
    dataset: OneDataset,
    only: Annotated[
        str | None,
        typer.Option("--only", metavar="PARTS", help="Some parts: oracle, clip, generator, inversion, ...; commas."),
    ] = None,
    readme: Annotated[
        bool,
        typer.Option("--write-readme", help="Write the figures to README.md in the folder of the data set's weights."),
    ] = False,
    json: Json = False,
) -> None:
    """Compare every network of a procedural world with its quality thresholds; exit code 1 if one is missed.

    Aims say what would be like a generator trained on photos; a missed one does not change the exit code.

    \b
    Examples:
      textedit-bench worlds check --dataset DATASET
      textedit-bench worlds check --dataset DATASET --only clip,judge_clip
    """
    from textedit_bench.cli.options import split_list
    from textedit_bench.data.destination import check_destination
    from textedit_bench.domain import load_domain
    from textedit_bench.errors import UserError, unknown_choice

    bars = from_workshop("worlds.check", "worlds check")

    parts = split_list("--only", only)
    for part in parts:
        if part not in bars.PARTS:
            raise unknown_choice("part", part, bars.PARTS)
    if readme and parts:
        raise UserError("--write-readme needs all parts; leave out --only")
    domain = load_domain(dataset, "mini")
    page = domain.path("generator").parent / "README.md"
    if readme:
        check_destination(page, field="--write-readme")
    figures = bars.check_world(domain, parts or bars.PARTS, report=lambda line: typer.echo(line, err=True))
    if json:
        print_json([{**asdict(f), "passed": f.passed} for f in figures])
    else:
        print_columns(bars.HEADER, bars.table(figures))
    if readme:
        typer.echo(bars.write_readme(domain, figures, page), err=True)
    aims = sum(f.aim and not f.passed and not f.fails for f in figures)
    if aims:
        typer.echo(f"{aims} of {len(figures)} figures miss an aim, which is no failure", err=True)
    missed = sum(f.fails for f in figures)
    if missed:
        typer.echo(f"{missed} of {len(figures)} figures are missing or below their bar", err=True)
        raise typer.Exit(1)


def train_(
    dataset: OneDataset,
    roles: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ROLE]...", help="Networks to train, in order; default: all except shared ones."),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            "--steps",
            metavar="N",
            help="Number of steps, instead of the network's default; 0 with --further: only a generator's mapping.",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", help="Random seed, instead of the network's default.")
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option("--learning-rate", metavar="X", help="Peak learning rate, instead of the network's default."),
    ] = None,
    further: Annotated[bool, typer.Option("--further", help="Start from the network's present weights.")] = False,
    mapping: Annotated[
        str | None,
        typer.Option(
            "--mapping", metavar="SHAPE", help="Recipe of the generator: sharp, soft, ...; default: the world's."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="Folder of weights, instead of the card's.")
    ] = None,
) -> None:
    """Train networks of a procedural world; an interrupted run continues with the same command.

    The trained weights replace those in use, unless --output names another folder. All networks together take hours.
    Networks shared by every data set (the two CLIPs) are trained only if they are named or missing.

    \b
    Examples:
      textedit-bench worlds train oracle --dataset DATASET
      textedit-bench worlds train generator encoder -d DATASET
      textedit-bench worlds train features -d DATASET --steps 20 --output trial
    """
    from textedit_bench.errors import UserError
    from textedit_bench.ranges import check_whole

    for name, number, low in (("--steps", steps, 0), ("--seed", seed, 0)):
        if number is not None:
            check_whole(name, number, low=low)
    if learning_rate is not None and not 0.0 < learning_rate <= 1.0:
        raise UserError(f"--learning-rate: {learning_rate} is not valid; valid: numbers above 0, up to 1")
    from textedit_bench.registry import load_dataset

    card = load_dataset(dataset)
    if "mini" not in card.tiers or card.tiers["mini"].world is None:
        raise UserError(f"data set {card.name} has no procedural world, so there is nothing to train")
    from textedit_bench.domain import Domain

    training = from_workshop("worlds.training.roles", "worlds train")

    world = Domain(card, "mini").world
    assert world is not None and card.path is not None
    in_use = card.path.parent / "weights"
    places = training.Places(output or in_use, in_use)
    options = training.Options(steps, seed, learning_rate, further, mapping)
    chosen = roles or training.all_roles(card.name, places)
    training.check_request(card.name, chosen, places, options)
    for role in chosen:
        typer.echo(training.train_role(world, card.name, role, places, Path("checkpoints"), options))


WORKSHOP = "textedit_workshop"


def from_workshop(module: str, command: str) -> Any:
    """Import a module of the workshop.

    Args:
        module: its name within the workshop.
        command: the command that needs it, for the message.

    Raises:
        UserError: the workshop is not installed.
    """
    try:
        import_module(WORKSHOP)
    except ModuleNotFoundError as error:
        raise UserError(
            f"{command} needs a clone of the repository ({WORKSHOP} is missing); make venv installs it there"
        ) from error
    return import_module(f"{WORKSHOP}.{module}")
