"""Resolve the prompts of a request: prompts of the card, by id or text, and new texts that text encoders read whole."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, cast

from textedit_bench.assets.locate import network_path
from textedit_bench.data.card import DatasetCard, PromptCard
from textedit_bench.errors import UserError, unknown_choice
from textedit_bench.prompt import Prompt, folded, tidy

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.models.clip import ClipModel


@dataclass(frozen=True)
class PlannedPrompt:
    """A prompt with its name in the records."""

    id: str
    prompt: Prompt
    trained: bool
    """Whether some method of the tier was trained on its words."""


def plan_prompts(card: DatasetCard, tier: str, asked: Sequence[str]) -> list[PlannedPrompt]:
    """Resolve the prompts of a request, in its order; without any, return the card's evaluation prompts.

    The only function that converts texts of users to prompts, for every command. A text that equals an id, phrase or
    target of the card denotes that prompt, ground truth included; case, white space, quotes, final punctuation and the
    Unicode form are ignored. Any other text becomes a new prompt. Texts that differ only in these ways are one prompt.

    Raises:
        UserError: a misspelt id, an empty or neutral text, one that is too long or has control characters, or a card
            without prompts. For truncation by a text encoder see `check_read`.
    """
    known = card.tier(tier).prompts
    ids = {prompt.id for prompt in known}
    if not asked:
        chosen = [planned_prompt(p) for p in known if p.split == "evaluation"]
        if not chosen:
            raise UserError(f"prompts: data set {card.name} has no evaluation prompts in tier {tier}; name some")
        return chosen
    planned: dict[str, PlannedPrompt] = {}
    for text in asked:
        prompt = _resolve(card, tier, known, text)
        planned.setdefault(prompt.id if prompt.id in ids else folded(prompt.prompt.target), prompt)
    return list(planned.values())


def planned_prompt(card: PromptCard) -> PlannedPrompt:
    """Convert a prompt of a card."""
    return PlannedPrompt(card.id, card.prompt(), card.trained)


def _resolve(card: DatasetCard, tier: str, known: Sequence[PromptCard], asked: str) -> PlannedPrompt:
    ids = [prompt.id for prompt in known]
    if not asked.strip():
        raise UserError(f"prompt: it is empty; valid: words, or an id of {card.name}: {', '.join(ids)}")
    text = tidy(asked)
    said = folded(text)
    for prompt in known:
        if text == prompt.id or said in {folded(words) for words in (prompt.phrase, prompt.target) if words}:
            return planned_prompt(prompt)
    if " " not in text and get_close_matches(text.lower(), ids, n=1, cutoff=0.75):
        raise unknown_choice(f"prompt of {card.name}, tier {tier},", text, ids)
    return PlannedPrompt(f"text-{unique_slug(text)}", card.bare_prompt(text), trained=False)


def slug(text: str) -> str:
    """Return a text as part of an id: lower-case ASCII letters and digits, everything else a hyphen."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def unique_slug(text: str) -> str:
    """Return the beginning of a text's slug, and digits of its digest, which differ for texts of one slug."""
    return f"{slug(text)[:40]}-{hashlib.sha256(text.encode()).hexdigest()[:6]}".lstrip("-")


READERS = ("clip", "judge_clip")
_ALWAYS_READ = 30
"""Bytes without blanks that any of them reads: a token stands for one at least, and the shortest context is 32 tokens,
two of which mark beginning and end."""


def is_short(text: str) -> bool:
    """Whether a text is too short to be truncated by any text encoder, so that none has to be loaded."""
    return len("".join(text.lower().split()).encode()) <= _ALWAYS_READ


def check_read(domain: Domain, prompts: Iterable[Prompt]) -> None:
    """Refuse prompts that a text encoder of the domain would truncate; encoders are loaded for long texts only.

    Raises:
        UserError: names the text, the part that would be cut off, and the number of tokens.
    """
    texts = {text: None for prompt in prompts for text in (prompt.words, prompt.target, prompt.source) if text}
    long = [text for text in texts if not is_short(text)]
    for role in READERS if long else ():
        named = domain.tier_card.networks.get(role)
        if named is None or not network_path(domain.card, named).is_file():  # reported where the network is needed
            continue
        clip = cast("ClipModel", domain.network(role))
        for text in long:
            if part := clip.unread(text):
                raise UserError(
                    f"prompts: {text!r} is longer than the text encoder of {domain.name}, tier {domain.tier} reads "
                    f"({role}: {clip.context_length} tokens with the two at its ends); not read: {part!r}"
                )
