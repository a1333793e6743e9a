"""``textedit-bench datasets``: list the installed data sets."""

from __future__ import annotations

import typer

from textedit_bench.cli.group import new_app
from textedit_bench.cli.options import Json
from textedit_bench.cli.output import print_broken, print_columns, print_json

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
