"""Which prompts a bench runs: a card's own, by id or by words, and bare texts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from textedit_bench.data.card import DatasetCard, PromptCard
from textedit_bench.errors import UserError, unknown_choice
from textedit_bench.prompt import Prompt

LONGEST = 500
"""Characters of a bare text; no text encoder here reads further than 77 tokens."""


@dataclass(frozen=True)
class PlannedPrompt:
    """A prompt with the name it has in the records."""

    id: str
    prompt: Prompt
    trained: bool
    """Whether some method of the tier was trained on its words."""


def plan_prompts(card: DatasetCard, tier: str, asked: Sequence[str]) -> list[PlannedPrompt]:
    """The prompts of a request, in its order, or the card's evaluation prompts where none are asked.

    A text that equals a card's phrase or target is that prompt, ground truth included; any other text becomes the
    card's bare prompt.

    Raises:
        UserError: a misspelt id, a text that is too long or holds control characters, or a card without prompts.
    """
    known = card.tier(tier).prompts
    if not asked:
        chosen = [_planned(p) for p in known if p.split == "evaluation"]
        if not chosen:
            raise UserError(f"prompts: data set {card.name} has no evaluation prompts in tier {tier}; name some")
        return chosen
    planned = [_resolve(card, tier, known, text.strip()) for text in asked]
    return list({prompt.id: prompt for prompt in planned}.values())


def _planned(card: PromptCard) -> PlannedPrompt:
    return PlannedPrompt(card.id, card.prompt(), card.trained)


def _resolve(card: DatasetCard, tier: str, known: Sequence[PromptCard], text: str) -> PlannedPrompt:
    for prompt in known:
        if text == prompt.id or text.lower() in {(prompt.phrase or "").lower(), prompt.target.lower()}:
            return _planned(prompt)
    if len(text) > LONGEST:
        raise UserError(f"prompts: {text[:30]!r}... has {len(text)} characters; valid: at most {LONGEST}")
    if not text.isprintable():
        raise UserError(f"prompts: {text!r} holds characters that cannot be printed; valid: one line of text")
    ids = [prompt.id for prompt in known]
    if " " not in text and get_close_matches(text.lower(), ids, n=1, cutoff=0.75):
        raise unknown_choice(f"prompt of {card.name}, tier {tier},", text, ids)
    slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40]
    name = "-".join(part for part in ("text", slug, hashlib.sha256(text.encode()).hexdigest()[:6]) if part)
    return PlannedPrompt(name, card.bare_prompt(text), trained=False)
