"""``textedit-bench datasets``: list the installed data sets and their prompts, and invert their photos."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from textedit_bench.cli.options import Device, Json, OneDataset, Source, Tier, new_app
from textedit_bench.cli.output import print_broken, print_columns, print_json
from textedit_bench.data.destination import check_folder
from textedit_bench.errors import UserError, unknown_choice
from textedit_bench.files import HOME, home

datasets = new_app(invoke_without_command=True)


def list_datasets(ctx: typer.Context, json: Json = False) -> None:
    """List the installed data sets, with the tiers that are complete; or the prompts of one, or invert its photos.

    \b
    Examples:
      textedit-bench datasets
      textedit-bench datasets --json
      textedit-bench datasets prompts --dataset DATASET
      textedit-bench datasets invert --dataset DATASET --tier full
    """
    if ctx.invoked_subcommand is not None:
        return
    from textedit_bench.registry import broken_datasets, missing_file
    from textedit_bench.registry import list_datasets as installed

    cards, broken = installed(), broken_datasets()
    missing = {card.name: {str(tier): missing_file(card, tier) for tier in card.tiers} for card in cards}
    if json:
        print_json(
            [
                {
                    **card.model_dump(mode="json"),
                    "path": str(card.path),
                    "missing": missing[card.name],
                    "broken": None,
                }
                for card in cards
            ]
            + [{"name": plugin.name, "origin": plugin.origin, "broken": plugin.reason} for plugin in broken]
        )
        return
    rows = [[card.name, card.title, _tiers(missing[card.name]), ", ".join(card.aliases) or "-"] for card in cards]
    print_columns(["NAME", "TITLE", "TIERS", "ALIASES"], rows)
    print_broken(broken)


def _tiers(missing: dict[str, str | None]) -> str:
    """Describe the tiers, with the first missing file of an incomplete one."""
    return ", ".join(tier if lacks is None else f"{tier} (lacks {lacks})" for tier, lacks in missing.items())


def prompts(
    dataset: OneDataset,
    tier: Tier = "auto",
    protocol: Annotated[
        str, typer.Option("--protocol", metavar="NAME", help="quick: the card's; census: all that a world can show.")
    ] = "quick",
    json: Json = False,
) -> None:
    """List the prompts of a data set: the ids that --prompts takes, and what each is used for.

    Trained: some method was trained on its words; unseen: none was; development: settings are chosen on it.

    \b
    Examples:
      textedit-bench datasets prompts --dataset DATASET
      textedit-bench datasets prompts --dataset DATASET --protocol census
    """
    from textedit_bench.bench.prompts import planned_prompt
    from textedit_bench.bench.request import CENSUS, PROTOCOLS
    from textedit_bench.registry import load_dataset, resolve_tier

    if protocol not in PROTOCOLS:
        raise unknown_choice("protocol", protocol, PROTOCOLS)
    card = load_dataset(dataset)
    tier = resolve_tier(card, tier)
    own = card.tier(tier).prompts
    found = list(map(planned_prompt, own))
    if protocol == CENSUS:
        from textedit_bench.bench.census import census_prompts
        from textedit_bench.worlds.world import load_world

        world = load_world(card, tier)
        if world is None:
            raise UserError(f"protocol 'census': data set {card.name}, tier {tier} has no world; valid: quick")
        found = census_prompts(card, tier, world)
    uses = {p.id: "trained" if p.trained else "unseen" for p in found}
    uses |= {p.id: p.split for p in own if p.split != "evaluation"}
    if json:
        print_json([{"id": p.id, "use": uses[p.id], **asdict(p.prompt)} for p in found])
        return
    rows = [[p.id, uses[p.id], p.prompt.words, ", ".join(map("=".join, p.prompt.asked.items())) or "-"] for p in found]
    print_columns(["ID", "USE", "TEXT", "ASKS FOR"], rows)


SHOWN = 20


def invert(
    dataset: OneDataset,
    split: Annotated[str, typer.Option("--split", metavar="SPLIT", help="train, development or evaluation.")] = (
        "evaluation"
    ),
    number: Annotated[
        int | None, typer.Option("--number", "-n", metavar="N", help="Only the first N photos; default: all.")
    ] = None,
    source: Source = None,
    tier: Tier = "full",
    device: Device = "cpu",
    json: Json = False,
) -> None:
    """Invert the photos of a split; stored inversions are reused, so a repeated command continues a stopped run.

    Several processes may work on one data set. Unusable images are skipped, counted and listed.

    \b
    Examples:
      textedit-bench datasets invert --dataset DATASET
      textedit-bench datasets invert --dataset DATASET --split train --number 1000 --device cuda
    """
    if number is not None and number < 1:
        raise UserError(f"--number: {number} is out of range; valid: whole numbers from 1")
    check_folder(home(), HOME)
    from textedit_bench.domain import load_domain

    domain = load_domain(dataset, tier, device, source)
    if domain.tier_card.source is None and domain.world is None:
        raise UserError(f"data set {domain.name}, tier {domain.tier}: no image source is configured")
    if not domain.tier_card.has_photos:
        what = "renders" if domain.world is not None else "codes"
        raise UserError(f"data set {domain.name}, tier {domain.tier}: its photos are {what}; there is nothing to keep")
    from textedit_bench.inverters import invert_split

    done = invert_split(domain, split, number, lambda line: typer.echo(line, err=True))
    if json:
        print_json(done.to_json())
        return
    used = f"{done.photos} photos" if done.photos == done.asked else f"{done.photos} of {done.asked} photos asked for"
    typer.echo(f"{domain.name} {split}: {used}, {done.inverted} inverted now, kept in {done.folder}")
    if done.skipped:
        typer.echo(f"{len(done.skipped)} skipped:")
        for skipped in done.skipped[:SHOWN]:
            typer.echo(f"  {skipped.key}: {skipped.reason}")
        if len(done.skipped) > SHOWN:
            typer.echo("  ... (all of them: --json)")
