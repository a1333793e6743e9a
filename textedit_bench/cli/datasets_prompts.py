"""``textedit-bench datasets prompts``: list the prompts of a data set."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from textedit_bench.cli.options import Json, OneDataset, Tier
from textedit_bench.cli.output import print_columns, print_json
from textedit_bench.errors import UserError, unknown_choice


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
