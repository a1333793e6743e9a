"""``textedit-bench worlds train``: train the networks of the mini tier from scratch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textedit_bench.cli.options import OneDataset


def train_(
    dataset: OneDataset,
    roles: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ROLE]...", help="Networks to train, in order; default: all except shared ones."),
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", metavar="N", help="Number of steps, instead of the network's default.")
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

    for name, number, low in (("--steps", steps, 1), ("--seed", seed, 0)):
        if number is not None:
            check_whole(name, number, low=low)
    if learning_rate is not None and not 0.0 < learning_rate <= 1.0:
        raise UserError(f"--learning-rate: {learning_rate} is not valid; valid: numbers above 0, up to 1")
    from textedit_bench.registry import load_dataset

    card = load_dataset(dataset)
    if "mini" not in card.tiers or card.tiers["mini"].world is None:
        raise UserError(f"data set {card.name} has no procedural world, so there is nothing to train")
    from textedit_bench.cli.workshop import from_workshop
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
