"""The card of a rehearsal: a data set's own full tier with few photos, few prompts and few projection steps."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from textedit_bench.data.card import DatasetCard, PromptCard, read_card
from textedit_bench.errors import UserError

SPLITS = {"evaluation": 2, "development": 2, "train": 4}
FIRST = {"evaluation": 0, "development": 3, "train": 6}
"""Positions of the splits in the source, with room for an image that cannot be used, as LSUN has some."""
PICTURES = FIRST["train"] + SPLITS["train"]
PROJECTION_STEPS = 3
_PROMPTS = {"evaluation": 1, "development": 1, "train": 2}


def write_card(card: DatasetCard, folder: Path, words: Iterable[str] = ()) -> DatasetCard:
    """Write the card of a data set's rehearsal beside the results, and read it back.

    Args:
        card: the data set's own.
        folder: where ``<name>.yaml`` goes.
        words: phrases that should be evaluated, because released networks are made for them.
    """
    tier = card.tier("full").model_dump(mode="json", exclude_defaults=True)
    tier["splits"] = SPLITS
    if "source" in tier:
        tier["source"] |= {"first": FIRST, "captions": f"{card.name}-captions"}
    if card.tier("full").inverter_name == "projection":
        tier["inversion"] = {**tier.get("inversion", {}), "steps": PROJECTION_STEPS}
    tier["prompts"] = [prompt.model_dump(mode="json", exclude_defaults=True) for prompt in _prompts(card, set(words))]
    content: dict[str, Any] = card.model_dump(mode="json", exclude_defaults=True, exclude={"tiers", "path"})
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{card.name}.yaml"
    path.write_text(yaml.safe_dump({**content, "tiers": {"full": tier}}, sort_keys=False), encoding="utf-8")
    return read_card(path)


def _prompts(card: DatasetCard, words: set[str]) -> list[PromptCard]:
    """A few prompts of the full tier, or the mini tier's words if it lists none yet; no world knows their truth.

    Every wanted phrase is evaluated, whatever the card has it for. There are two groups, if the card has them: PPE
    holds an edit to the texts of other groups.
    """
    known = card.tier("full").prompts or (card.tier("mini").prompts if "mini" in card.tiers else ())
    wanted = [prompt.model_copy(update={"split": "evaluation"}) for prompt in known if prompt.phrase in words]
    chosen = list(wanted)
    for split, count in _PROMPTS.items():
        own = [p for p in known if p.split == split and p.phrase not in words]
        there = [p for p in own if p.trained] or own
        chosen += there[: 0 if split == "evaluation" and wanted else count]
    if not any(prompt.split == "evaluation" for prompt in chosen):
        raise UserError(f"prompts: the full tier of data set {card.name} has none to evaluate; a rehearsal needs one")
    if len({prompt.group or prompt.id for prompt in chosen}) == 1:
        others = (prompt for prompt in known if prompt.trained and prompt.group != chosen[0].group)
        chosen += [prompt.model_copy(update={"split": "train"}) for prompt in islice(others, 1)]
    return [prompt.model_copy(update={"attribute": None}) for prompt in chosen]
