"""Split what a text asks for into hair style and hair colour, and list the texts that a training uses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from textedit_bench.errors import UserError
from textedit_bench.per_prompt import normalised
from textedit_bench.prompt import Prompt

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

COLOURS = (
    *("purple", "red", "orange", "yellow", "green", "blue"),
    *("gray", "brown", "black", "white", "blond", "pink"),
)
STYLES = (
    *("afro", "bob cut", "bowl cut", "braid", "caesar cut", "chignon", "cornrows", "crew cut", "crown braid"),
    *("curtained hair", "dido flip", "dreadlocks", "extensions", "fade", "fauxhawk", "finger waves", "french braid"),
    *("frosted tips", "full crown", "harvard clip", "high and tight", "hime cut", "hi-top fade", "jewfro"),
    *("jheri curl", "liberty spikes", "marcel waves", "mohawk", "pageboy", "perm", "pixie cut", "psychobilly wedge"),
    *("quiff", "regular taper cut", "ringlets", "shingle bob", "short hair", "slicked-back", "spiky hair"),
    *("surfer hair", "taper cut", "the rachel", "undercut", "updo"),
)
"""The authors' lists; their texts are "<colour> hair" and "<style> hairstyle"."""
_SPELLINGS = {"grey": "gray", "blonde": "blond"}
_MORE_STYLES = ("bald", "bangs", "curly", "long", "short", "straight", "wavy")
"""Known as styles without the word "hairstyle" (ours)."""
_KNOWN = re.compile(rf"\b(?:{'|'.join(sorted((*STYLES, *_MORE_STYLES), key=len, reverse=True))})\b")
_NAMED = re.compile(r"^((?:(?!and\b|with\b)[\w'-]+ )+)(?:hair ?style|hair ?cut)$")
_FRAME = re.compile(r"^(?:(?:an?|the) )?(?:face|person|man|woman)(?: (?:with|who has))? |^(?:with|having) |^an? ")
_FILLERS = {"a", "an", "and", "with", "hair", "hairs", "hairstyle", "haircut", "style", "cut"}


class Request(NamedTuple):
    """What is asked of the hair: texts for the mapper, None if nothing."""

    style: str | None
    colour: str | None


def request_of(prompt: Prompt) -> Request | None:
    """Return what a prompt asks of the hair; None if it asks for anything else.

    The groups of a card's prompts decide, and their words are used as they are. A text without a group is searched for
    one of the authors' colours and one of their styles, or for "... hairstyle"; no other word may be in it.
    """
    if prompt.group == "hair colour":
        return Request(None, prompt.words)
    if prompt.group == "hairstyle":
        return Request(prompt.words, None)
    text = normalised(prompt.words)
    while (bare := _FRAME.sub("", text)) != text:
        text = bare
    return _read(text.replace(",", " "))


def _read(text: str) -> Request | None:
    words = [_SPELLINGS.get(word, word) for word in text.split()]
    colours = [word for word in words if word in COLOURS]
    rest = " ".join(word for word in words if word not in COLOURS)
    known = _KNOWN.findall(rest)
    left = {*_KNOWN.sub(" ", rest).split()} - _FILLERS
    named = _NAMED.match(rest)
    if len(colours) > 1 or len(known) > 1 or (left and (known or not named)):
        return None
    if known:
        last = "hair" if known[0] in _MORE_STYLES else "hairstyle"
        style: str | None = known[0] if known[0] in ("bald", "bangs") else f"{known[0]} {last}"
    else:
        style = rest if named and left else None
    if not style and not (colours and {"hair", "hairs"} & {*words}):
        return None
    return Request(style, f"{colours[0]} hair" if colours else None)


def training_texts(domain: Domain, prompts: Sequence[Prompt] | None, published: bool) -> tuple[list[str], list[str]]:
    """Return the texts of a training: hair styles, and hair colours.

    Args:
        domain: its card's trained prompts about hair are used, unless it has none.
        prompts: train on these instead.
        published: use the authors' lists instead, without what the card holds out.

    Raises:
        UserError: a given prompt is not about hair.
    """
    if prompts is not None:
        asked = [request_of(prompt) for prompt in prompts]
        if not asked or None in asked:
            first = prompts[asked.index(None)].words if asked else "none"
            raise UserError(
                f"prompts: {first!r}: HairCLIP trains on texts about hair style and hair colour, at least one"
            )
        return _apart(asked)
    own = _apart(request_of(prompt) for prompt in domain.training_prompts())
    if any(own) and not published:
        return own
    kept = {prompt.words.lower() for prompt in domain.prompts("evaluation", trained=False).values()}
    lists = [f"{style} hairstyle" for style in STYLES], [f"{colour} hair" for colour in COLOURS]
    styles, colours = ([text for text in texts if text not in kept] for texts in lists)
    return styles, colours


def _apart(asked: Iterable[Request | None]) -> tuple[list[str], list[str]]:
    there = [request for request in asked if request]
    styles = dict.fromkeys(request.style for request in there if request.style)
    return list(styles), list(dict.fromkeys(request.colour for request in there if request.colour))
