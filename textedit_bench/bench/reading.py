"""Refuse prompts that a text encoder would truncate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from textedit_bench.assets.locate import network_path
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.models.clip import ClipModel

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
