"""Captions of the face world."""

from __future__ import annotations

from textedit_bench.worlds.captions import Wording, Words, cross

_HAIR = ("{} hair", "{} locks", "hair that is {}", "hair of {} color", "{} colored hair", "a {} hairdo")
_EYES = ("{} eyes", "eyes that are {}", "eyes of {} color", "{} colored eyes", "{} irises", "a pair of {} eyes")
_SKIN = ("{} skin", "skin that is {}", "a {} complexion", "a {} skin tone", "skin of {} color")
_BACK = ("a {} background", "a {} backdrop", "a background that is {}", "a {} wall behind", "a background of {} color")
_WEAR = ("a {} shirt", "{} clothes", "a {} top", "clothes that are {}", "a {} sweater", "{} clothing")
_LOOK = ("a {} expression", "a {} look", "a {} mouth", "an expression that is {}", "a {} mood")


def _worn(nouns: tuple[str, ...], held_out: tuple[str, ...]) -> Wording:
    return Wording(nouns, clauses=tuple(f"wearing {n}" for n in nouns), held_out=held_out)


def _absent(nouns: tuple[str, ...], held_out: tuple[str, ...], extra: tuple[str, ...] = ()) -> Wording:
    clauses = tuple(f"without {n}" for n in nouns)
    return Wording((*(f"no {n}" for n in nouns), *extra), clauses=clauses, held_out=held_out)


FACE_WORDS = Words(
    subjects=("face", "person", "head", "portrait", "human face"),
    table={
        "age": {
            "young": Wording(
                ("smooth skin", "no wrinkles", "young features", "a young look", "a youthful age", "a smooth forehead"),
                adjectives=("young", "youthful"),
                clauses=("who is young", "without wrinkles"),
                held_out=("a youthful look", "youthful features", "no age lines"),
            ),
            "old": Wording(
                (
                    "wrinkled skin",
                    "wrinkles",
                    "old features",
                    "an old look",
                    "an elderly age",
                    "age lines",
                    "a wrinkled forehead",
                ),
                adjectives=("old", "elderly", "aged"),
                clauses=("who is old", "with wrinkles"),
                held_out=("an elderly look", "elderly features", "wrinkled features"),
            ),
        },
        "hair_color": {
            "black": cross(_HAIR, ("black", "jet black")),
            "brown": cross(_HAIR, ("brown", "chestnut")),
            "blond": cross(_HAIR, ("blond", "blonde", "golden")),
            "red": cross(_HAIR, ("red", "ginger")),
            "gray": cross(_HAIR, ("gray", "grey", "silver")),
            "blue": cross(_HAIR, ("blue", "cobalt blue")),
        },
        "hair_style": {
            "bald": Wording(
                ("a bald head", "no hair", "a hairless head", "a bald scalp"),
                adjectives=("bald", "hairless"),
                clauses=("who is bald", "without hair"),
                held_out=("a hairless scalp", "a bald hairstyle"),
            ),
            "short": cross(
                ("{} hair", "a {} haircut", "hair that is {}", "a {} hairstyle", "{} cut hair"), ("short", "cropped")
            ),
            "long": cross(
                ("{} hair", "a {} hairstyle", "hair that is {}", "a {} hairdo", "{} hair strands"),
                ("long", "straight long"),
            ),
            "curly": cross(
                ("{} hair", "a {} hairstyle", "hair that is {}", "a {} hairdo", "{} hair strands"), ("curly", "frizzy")
            ),
            "mohawk": Wording(
                (
                    "a mohawk",
                    "a mohawk hairstyle",
                    "a mohawk haircut",
                    "mohawk hair",
                    "a punk haircut",
                    "a punk mohawk",
                ),
                adjectives=("punk",),
                clauses=("wearing a mohawk",),
                held_out=("a punk hairstyle", "punk hair"),
            ),
        },
        "expression": {
            "neutral": cross(
                _LOOK,
                ("neutral", "calm", "serious"),
                adjectives=("neutral", "calm", "serious"),
                clauses=("not smiling",),
            ),
            "happy": cross(
                _LOOK,
                ("happy", "smiling", "joyful"),
                adjectives=("happy", "smiling", "joyful"),
                clauses=("smiling", "who is smiling", "who looks happy", "with a smile"),
            ),
            "sad": cross(
                _LOOK,
                ("sad", "unhappy", "frowning"),
                adjectives=("sad", "unhappy"),
                clauses=("frowning", "who looks sad"),
            ),
            "surprised": cross(
                _LOOK,
                ("surprised", "amazed", "shocked"),
                adjectives=("surprised", "amazed", "shocked"),
                clauses=("who looks surprised", "with an open mouth"),
            ),
        },
        "glasses": {
            "none": _absent(
                ("glasses", "eyeglasses", "spectacles"), ("no pair of glasses", "no clear glasses"), ("uncovered eyes",)
            ),
            "glasses": _worn(
                ("glasses", "eyeglasses", "clear glasses", "reading glasses", "spectacles", "a pair of glasses"),
                ("a pair of spectacles", "clear spectacles", "a pair of eyeglasses"),
            ),
            "sunglasses": _worn(
                ("sunglasses", "dark glasses", "black sunglasses", "a pair of sunglasses", "shades"),
                ("a pair of dark glasses", "dark sunglasses"),
            ),
        },
        "beard": {
            "none": Wording(
                ("no beard", "a shaved chin", "no facial hair", "a clean shaven face"),
                adjectives=("clean shaven", "beardless"),
                clauses=("without a beard", "without facial hair"),
                held_out=("a clean shaven chin", "no full beard"),
            ),
            "beard": Wording(
                ("a beard", "a full beard", "a dark beard", "facial hair", "a bushy beard"),
                adjectives=("bearded",),
                clauses=("wearing a beard", "who has a beard"),
                held_out=("a full dark beard", "bushy facial hair"),
            ),
        },
        "skin": {
            "pale": cross(_SKIN, ("pale", "fair", "light"), adjectives=("pale", "fair")),
            "tanned": cross(_SKIN, ("tanned", "tan"), adjectives=("tanned",)),
            "dark": cross(_SKIN, ("dark", "deep brown"), adjectives=("dark skinned",)),
        },
        "eye_size": {
            "normal": cross(
                ("{} eyes", "eyes of {} size", "{} sized eyes", "eyes that are {}"), ("normal", "small", "regular")
            ),
            "big": cross(("{} eyes", "eyes of {} size", "{} sized eyes", "eyes that are {}"), ("big", "large", "huge")),
        },
        "eye_color": {
            "brown": cross(_EYES, ("brown", "hazel brown")),
            "blue": cross(_EYES, ("blue", "sky blue")),
            "green": cross(_EYES, ("green", "emerald green")),
        },
        "hat": {
            "none": _absent(
                ("hat", "top hat", "headwear"),
                ("no purple hat", "no tall hat"),
                ("a bare head", "an uncovered head"),
            ),
            "hat": _worn(
                ("a hat", "a purple hat", "a top hat", "headwear", "a tall hat"),
                ("a tall purple hat", "purple headwear"),
            ),
        },
        "makeup": {
            "none": Wording(
                ("no makeup", "no make-up", "a bare face", "no lipstick", "natural lips", "no cosmetics"),
                clauses=("without makeup", "without lipstick", "without make-up"),
                held_out=("no heavy makeup", "a natural face"),
            ),
            "makeup": Wording(
                ("makeup", "make-up", "heavy makeup", "lipstick", "red lipstick", "rouge and lipstick", "cosmetics"),
                adjectives=("made up",),
                clauses=("wearing makeup", "wearing lipstick", "wearing make-up"),
                held_out=("heavy make-up", "heavy cosmetics", "heavy red lipstick"),
            ),
        },
        "earrings": {
            "none": _absent(
                ("earrings", "ear jewelry", "golden earrings"),
                ("no pair of earrings", "no gold earrings"),
                ("bare ears",),
            ),
            "earrings": _worn(
                ("earrings", "golden earrings", "gold earrings", "a pair of earrings", "ear jewelry"),
                ("a pair of golden earrings", "golden ear jewelry"),
            ),
        },
        "background": {
            "blue": cross(_BACK, ("blue", "sky blue")),
            "green": cross(_BACK, ("green", "grass green")),
            "pink": cross(_BACK, ("pink", "rose pink")),
            "gray": cross(_BACK, ("gray", "grey")),
        },
        "clothes": {
            "white": cross(_WEAR, ("white", "snow white")),
            "red": cross(_WEAR, ("red", "crimson red")),
            "black": cross(_WEAR, ("black", "jet black")),
            "yellow": cross(_WEAR, ("yellow", "golden yellow")),
        },
    },
)
