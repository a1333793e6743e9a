"""Define a prompt, and normalise the spelling of its texts."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

from textedit_bench.errors import UserError

ATTRIBUTE = r"^[^=,]+=[^=,]+(,[^=,]+=[^=,]+)*$"
"""Format of ground truth, parsed by `Prompt.asked`."""


@dataclass(frozen=True)
class Prompt:
    """One edit request, in the forms that methods need.

    Attributes:
        target: full description of the edited image, such as ``"a face with blond hair"``.
        source: description of the image before the edit, such as ``"a face"``.
        phrase: the words of the edit alone, such as ``"blond hair"``; `words` falls back to ``target`` if it is None.
        group: attribute group for grouped tables, such as ``"hair colour"``.
        attribute: ground truth of the mini tier as ``"name=value"``, several joined by ``","`` (`ATTRIBUTE`); never
            shown to a method that trains or edits.
    """

    target: str
    source: str | None = None
    phrase: str | None = None
    group: str | None = None
    attribute: str | None = None

    @property
    def words(self) -> str:
        """The phrase if there is one, else the target."""
        return self.phrase if self.phrase is not None else self.target

    @property
    def without_truth(self) -> Prompt:
        """Return the prompt as given to methods: without the ground-truth attributes."""
        return replace(self, attribute=None)

    @property
    def asked(self) -> dict[str, str]:
        """Requested ground-truth attributes, name -> value; empty if unknown."""
        if not self.attribute:
            return {}
        return dict(part.strip().split("=", 1) for part in self.attribute.split(","))

    @property
    def asked_names(self) -> str:
        """Names of the requested attributes, joined by ``" + "``; empty if unknown."""
        return " + ".join(sorted(self.asked))


LONGEST = 500
"""Maximum characters of a text; no text encoder here reads more than 77 tokens."""
_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "„": "“”", "‘": "’", "«": "»", "「": "」"}
_TRAILING = " .,;:。、，；："
_FINAL = f"{_TRAILING}!?…"
_UNSEEN = dict.fromkeys(map(ord, "\u200b\u200e\u200f\u2060\ufeff\u00ad"))
"""Invisible characters from copied texts; joiners are kept, since scripts and emoji need them."""
_JOINERS = dict.fromkeys(map(ord, "\u200c\u200d"))
_ARTICLE = re.compile(r"^(?:an?|the|one|this) ")
_FRAME = re.compile(r"^(?:an? |the )?(?:[\w-]+ )?(?:photo(?:graph)?|picture|image|portrait|drawing|painting) of ")
_JOINING = r"(?:with|without|that|which|who|whose|having|wearing|in|on|at|of|from|by|under|near|is|as)\b"
_FOLLOWS = rf"(?:$|[,;:]| {_JOINING})"


def tidy(text: str) -> str:
    """Normalise a text: NFC, single blanks, no enclosing quotes, no final full stop or separator.

    Letter case is kept: names need it, and every text encoder here ignores it.

    Raises:
        UserError: the result is empty or too long, or has control characters.
    """
    found = unicodedata.normalize("NFC", text).translate(_UNSEEN)
    found = "".join(" " if unicodedata.category(letter) == "Zs" else letter for letter in found).strip()
    if not is_printable(found):
        raise UserError(f"prompts: {found[:30]!r} holds characters that cannot be printed; valid: one line of text")
    if len(found) > LONGEST:
        raise UserError(f"prompts: {found[:30]!r}... has {len(found)} characters; valid: at most {LONGEST}")
    found = _bare(" ".join(found.split()), _TRAILING)
    if not any(letter.isalnum() or unicodedata.category(letter) == "So" for letter in found):  # So: emoji
        raise UserError(f"prompts: {text[:30]!r} holds no word; valid: words")
    return found


def is_printable(text: str) -> bool:
    """Whether a text is one line that terminals and tables can show unchanged."""
    return text.translate(_JOINERS).isprintable()


def folded(text: str) -> str:
    """Reduce a text to a form that ignores case, blanks, quotes, final punctuation and encoding."""
    tidied = tidy(text)
    found = _bare(unicodedata.normalize("NFKC", tidied).casefold(), _FINAL)
    return " ".join(found.replace("’", "'").split()) or tidied


def describes_picture(text: str, neutral: str) -> bool:
    """Whether a text describes the whole picture, not an addition to the neutral text.

    It does if it begins like the neutral one ("a face with red hair"), names the same subject in other
    words ("the face of an old woman", "a smiling face"), or calls itself a picture ("a photo of a man").
    """
    said = folded(text)
    if re.match(rf"{re.escape(folded(neutral))}(?![\w'-])", said) or _FRAME.match(said):
        return True
    bare = _ARTICLE.sub("", said)
    adjectives = "{0,3}" if bare != said else "?"  # "hair covering the face" does not describe a face
    return re.match(rf"(?:[\w'-]+,? ){adjectives}{re.escape(_subject(neutral))}(?:e?s)?{_FOLLOWS}", bare) is not None


def added(text: str, neutral: str) -> str:
    """Append a text to the neutral one: "a face" and "red hair", "without a beard" or "in the rain"."""
    return f"{neutral} {text}" if re.match(_JOINING, folded(text)) else f"{neutral} with {text}"


def says_nothing(text: str, neutral: str) -> bool:
    """Whether a text only repeats the neutral one, with any article or frame ("photo of the face")."""
    said = _ARTICLE.sub("", _FRAME.sub("", folded(text))).removesuffix(" with")
    return said == _subject(neutral)


def _subject(neutral: str) -> str:
    """Return the neutral text without its article."""
    return _ARTICLE.sub("", folded(neutral))


def _bare(text: str, marks: str) -> str:
    """Strip final punctuation and enclosing quotes, in any order."""
    before = None
    while text != before:
        before, text = text, _unquoted(text.rstrip(marks))
    return text


def _unquoted(text: str) -> str:
    closed = text.rstrip(_FINAL)
    inside = closed[1:-1]
    if inside and closed[-1] in _QUOTES.get(closed[0], "") and closed[0] not in inside and closed[-1] not in inside:
        return inside.strip()
    return text
