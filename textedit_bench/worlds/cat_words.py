"""Captions of the cat world."""

from __future__ import annotations

from textedit_bench.worlds.captions import Wording, Words, cross

_FUR = ("{} fur", "a {} coat", "fur that is {}", "fur of {} color", "{} colored fur", "a {} fur coat")
_EYES = ("{} eyes", "eyes that are {}", "eyes of {} color", "{} colored eyes", "{} irises", "a pair of {} eyes")
_EARS = ("{} ears", "ears that are {}", "a pair of {} ears", "{} cat ears", "two {} ears")
_BACK = ("a {} background", "a {} backdrop", "a background that is {}", "a {} wall behind", "a background of {} color")
_HAIR = ("{} fur", "a {} coat", "{} hair", "fur that is {}", "{} cat hair", "a coat that is {}")
_LOOK = ("a {} expression", "a {} look", "a {} mouth", "an expression that is {}", "a {} mood")


def _fur(*colors: str) -> Wording:
    """Return wordings of a fur colour, for the fur and for the cat itself."""
    return cross(_FUR, colors, adjectives=colors, clauses=tuple(f"that is {c}" for c in colors))


CAT_WORDS = Words(
    subjects=("cat", "kitty", "kitten", "feline", "domestic cat"),
    table={
        "fur_length": {
            "short": cross(_HAIR, ("short", "smooth", "flat"), adjectives=("shorthair",)),
            "fluffy": cross(_HAIR, ("fluffy", "long", "fuzzy"), adjectives=("fluffy", "fuzzy", "longhair")),
        },
        "fur_color": {
            "orange": _fur("orange", "ginger"),
            "black": _fur("black", "jet black"),
            "white": _fur("white", "snow white"),
            "gray": _fur("gray", "grey", "silver"),
            "brown": _fur("brown", "chestnut"),
        },
        "fur_pattern": {
            # "No stripes" alone would be true of spotted fur too.
            "plain": Wording(
                (
                    "plain fur",
                    "a plain coat",
                    "fur that is plain",
                    "fur of one color",
                    "no stripes or spots",
                    "a coat of one color",
                    "no spots or stripes",
                ),
                adjectives=("plain",),
                clauses=("without stripes or spots", "without spots or stripes"),
                held_out=("a plain fur coat", "fur without stripes or spots", "a coat that is plain"),
            ),
            "striped": Wording(
                (
                    "stripes",
                    "striped fur",
                    "a striped coat",
                    "fur that is striped",
                    "tabby fur",
                    "a tabby coat",
                    "tabby stripes",
                    "tiger stripes",
                    "fur with stripes",
                ),
                adjectives=("striped", "tabby"),
                clauses=("that is striped", "with stripes"),
                held_out=("a striped fur coat", "a coat with stripes", "fur with tabby stripes"),
            ),
            "spotted": Wording(
                (
                    "spots",
                    "spotted fur",
                    "a spotted coat",
                    "fur that is spotted",
                    "patched fur",
                    "a patched coat",
                    "large spots",
                    "big patches",
                    "fur with spots",
                ),
                adjectives=("spotted", "patched"),
                clauses=("that is spotted", "with spots", "with patches"),
                held_out=("a spotted fur coat", "a coat with spots", "fur with patches", "large patches"),
            ),
        },
        "ears": {
            "pointy": cross(_EARS, ("pointy", "pointed")),
            "folded": cross(_EARS, ("folded", "flat folded")),
        },
        "eyes": {
            "open": Wording(
                (
                    "open eyes",
                    "eyes that are open",
                    "wide open eyes",
                    "awake eyes",
                    "an awake look",
                    "two open eyes",
                ),
                adjectives=("awake",),
                clauses=("who is awake", "that is awake", "with open eyes"),
                held_out=("a pair of open eyes", "eyes that are wide open", "an awake face"),
            ),
            "sleepy": Wording(
                (
                    "sleepy eyes",
                    "closed eyes",
                    "eyes that are closed",
                    "a sleepy look",
                    "a sleepy face",
                    "sleeping eyes",
                    "two closed eyes",
                ),
                adjectives=("sleepy", "sleeping"),
                clauses=("who is sleeping", "that is sleepy", "with closed eyes", "who looks sleepy"),
                held_out=("a pair of closed eyes", "eyes that are sleepy", "a sleeping face"),
            ),
        },
        "eye_color": {
            "green": cross(_EYES, ("green", "emerald green")),
            "blue": cross(_EYES, ("blue", "sky blue")),
            "yellow": cross(_EYES, ("yellow", "golden")),
        },
        "expression": {
            "neutral": cross(
                _LOOK,
                ("neutral", "serious"),
                adjectives=("neutral", "serious"),
                clauses=("who looks serious", "that looks neutral"),
            ),
            "meowing": Wording(
                (
                    "a meowing mouth",
                    "an open mouth",
                    "a meowing face",
                    "a mouth that is open",
                    "a wide open mouth",
                    "a big open mouth",
                ),
                adjectives=("meowing",),
                clauses=("meowing", "who is meowing", "that is meowing", "with an open mouth"),
                held_out=("a mouth that is meowing", "a mouth that is wide open", "a meowing look"),
            ),
            "tongue": Wording(
                (
                    "a tongue",
                    "a pink tongue",
                    "a long tongue",
                    "a tongue showing",
                    "a mouth with a tongue",
                    "a playful look",
                    "a playful face",
                ),
                adjectives=("playful",),
                clauses=("showing a tongue", "that looks playful", "showing the tongue"),
                held_out=("a long pink tongue", "a playful mouth", "a pink tongue showing"),
            ),
        },
        "collar": {
            # Both others have a collar, so "a collar" alone says neither, and its absence says "none".
            "none": Wording(
                ("no collar", "no cat collar", "no collar or ribbon", "no bell or bow tie", "no red or purple collar"),
                clauses=("without a collar", "not wearing a collar", "without any collar"),
                held_out=("no bow tie or bell", "no purple or red collar", "no ribbon or bell"),
            ),
            "bell": Wording(
                (
                    "a bell",
                    "a golden bell",
                    "a gold bell",
                    "a red collar",
                    "a collar with a bell",
                    "a bell collar",
                    "a red collar with a bell",
                ),
                clauses=("wearing a bell", "wearing a red collar", "wearing a collar with a bell"),
                held_out=("a collar with a golden bell", "a red bell collar", "a red collar with a gold bell"),
            ),
            "bow": Wording(
                (
                    "a bow tie",
                    "a purple bow tie",
                    "a bow",
                    "a purple bow",
                    "a ribbon",
                    "a purple ribbon",
                    "a collar with a bow",
                ),
                clauses=("wearing a bow tie", "wearing a bow", "wearing a ribbon"),
                held_out=("a collar with a bow tie", "a ribbon tie", "a collar with a purple bow"),
            ),
        },
        "hat": {
            "none": Wording(
                ("no hat", "no top hat", "no headwear", "a bare head", "an uncovered head", "no cat hat"),
                clauses=("without a hat", "without headwear", "not wearing a hat"),
                held_out=("no tall hat", "no teal hat", "a head without a hat"),
            ),
            "hat": Wording(
                ("a hat", "a teal hat", "a top hat", "headwear", "a tall hat", "a teal top hat"),
                clauses=("wearing a hat", "wearing a teal hat", "wearing a top hat", "wearing headwear"),
                held_out=("a tall teal hat", "teal headwear", "a tall top hat"),
            ),
        },
        "background": {
            "blue": cross(_BACK, ("blue", "sky blue")),
            "pink": cross(_BACK, ("pink", "rose pink")),
            "yellow": cross(_BACK, ("yellow", "golden yellow")),
        },
        "ground": {
            "grass": Wording(
                ("grass", "green grass", "a lawn", "a green lawn", "a field of grass", "a garden", "grass in front"),
                clauses=("sitting on grass", "on the grass", "sitting on a lawn", "in a garden"),
                held_out=("a field of green grass", "a lawn of grass", "a green garden"),
            ),
            "cushion": Wording(
                ("a cushion", "a red cushion", "a big cushion", "a cat cushion", "a square cushion"),
                clauses=("sitting on a cushion", "on a red cushion", "on a cushion", "sitting on the cushion"),
                held_out=("a big red cushion", "a red cat cushion", "the red cushion"),
            ),
            "basket": Wording(
                ("a basket", "a brown basket", "a cat basket", "a big basket", "a basket in front"),
                clauses=("sitting in a basket", "in a basket", "in a brown basket", "sitting in the basket"),
                held_out=("a big brown basket", "a brown cat basket", "a brown basket in front"),
            ),
        },
    },
)
