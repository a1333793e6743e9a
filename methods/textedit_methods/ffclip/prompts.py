"""What FFCLIP is trained on: the data set card's training phrases, or the published list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

# Released training lists (phrase -> times listed); prompts are drawn uniformly from the list with its repeats.
PUBLISHED: dict[str, dict[str, int]] = {
    "ffhq": {
        **dict.fromkeys(["Sad", "Surprise", "Fear", "Contempt"], 2),
        **dict.fromkeys(["Neutral", "happy", "Disgust", "Anger"], 1),
        **{f"{who} Aged {age}": 1 for who in ("Woman", "Man") for age in (40, 80, 10, 20)},
        **dict.fromkeys(["Bald", "make up", "closed eyes", "wearing glasses", "Taylor Swift"], 2),
        **{f"{colour} eyes": 1 for colour in ("Blue", "Green")},
        **{
            f"{look} hair": 1
            for look in (
                *("Purple", "Green", "Orange", "Yellow", "Blue", "Gray"),
                *("Brown", "Black", "White", "Blond", "Pink", "curly"),
            )
        },
        "Beard": 1,
        **{
            f"{cut} hairstyle": 1
            for cut in ("afro", "bowl cut", "mohawk", "jewfro", "dreadlocks", "cornrows", "Hi-top Fade", "Bob Cut")
        },
    },
    "car": {
        **{f"{colour} car": 1 for colour in ("Red", "Blue", "Gray", "Black", "White", "silver")},
        **dict.fromkeys(["Jeep", "Sports car", "From Sixties"], 1),
    },
}


def training_phrases(domain: Domain, prompts: Sequence[Prompt] | None = None) -> dict[str, int]:
    """Phrase -> how often it is listed.

    Args:
        domain: its card marks training prompts by ``split: train`` or ``trained: true``.
        prompts: train on these instead.

    Raises:
        UserError: the card marks none and no list was published for this data set.
    """
    if prompts is not None:
        if not prompts:
            raise UserError("prompts: FFCLIP needs at least one training prompt, got none")
        return _count(prompt.words for prompt in prompts)
    cards = domain.tier_card.prompts
    marked = dict.fromkeys(card.prompt().words for card in cards if card.split == "train" or card.trained)
    published = PUBLISHED.get(domain.name, {})
    if published and set(marked) in (set(), set(published)):
        return dict(published)  # the same phrases, and how often the authors listed each
    if marked:
        return _count(marked)
    raise UserError(
        f"data set {domain.name}, tier {domain.tier}: its card marks no prompt with 'split: train' or 'trained: true', "
        "and FFCLIP published no training list for it"
    )


def _count(words: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts
