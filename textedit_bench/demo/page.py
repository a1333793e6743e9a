"""The parts of the demo's page as HTML; every text is escaped, every picture is within the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

STRENGTHS = (0.0, 0.5, 1.0, 1.5, 2.0)
MOST_PICTURES = 8
"""Of one generation."""
PHOTO, RESULTS = "photo-id", "results"
"""Ids: of the field that names the chosen photo, which a click on a sample writes, and of the edits."""
Figures = tuple[tuple[str, str], ...]
_PICK = (
    f"const f=document.querySelector('#{PHOTO} input,#{PHOTO} textarea');f.value=this.dataset.id;"
    "f.dispatchEvent(new Event('input',{bubbles:true}))"
)
_COPY = (
    "getSelection().selectAllChildren(this.previousElementSibling);"  # where there is no clipboard: Ctrl-C
    "navigator.clipboard?.writeText(this.previousElementSibling.textContent);this.textContent='Copied'"
)
SLIDE = (
    f"(s) => {{ const r = document.querySelector('#{RESULTS} .cards'); if (r) r.dataset.at = Math.round(s * 2) / 2 }}"
)
"""What the slider does: it shows other pictures of those that are there."""
_AT = ",".join(f'.cards[data-at="{s:g}"] .at[data-strength="{s:g}"]' for s in STRENGTHS)
STYLE = f".cards .at{{display:none}}{_AT}{{display:block}}"


@dataclass(frozen=True)
class Shown:
    """A picture (a data URI), the line for a shell that makes it, what the judges say, and what the oracle reads."""

    picture: str
    command: str
    figures: Figures = ()
    reading: str = ""


@dataclass(frozen=True)
class Sweep:
    """What one method makes of a photo and a text: a picture per strength, or the reason why there is none."""

    title: str
    shown: tuple[Shown, ...] = ()
    refusal: str = ""


def strip(samples: Sequence[tuple[str, str]]) -> str:
    """Image ids and pictures to choose from."""
    buttons = (
        f'<button data-id="{escape(name)}" onclick="{_PICK}"><img src="{picture}" alt="{escape(name)}"></button>'
        for name, picture in samples
    )
    return f'<div class="strip">{"".join(buttons)}</div>'


def chosen(picture: str) -> str:
    """The chosen photo."""
    return f'<img class="chosen" src="{picture}" alt="The chosen photo">'


def notice(text: str) -> str:
    """One message."""
    return f'<p class="notice" role="alert">{escape(text)}</p>'


def cards(sweeps: Sequence[Sweep], strength: float) -> str:
    """Edits side by side, at every strength; the slider chooses what is seen."""
    at = min(STRENGTHS, key=lambda one: abs(one - strength))
    return f'<div class="cards" data-at="{at:g}">{"".join(map(_card, sweeps))}</div>'


def pictures(sweep: Sweep) -> str:
    """Generated pictures, and the command that makes all of them."""
    images = "".join(f'<img src="{one.picture}" alt="{escape(sweep.title)}">' for one in sweep.shown)
    return f'<div class="made">{images}</div>{_command(sweep.shown[0].command)}'


def _card(sweep: Sweep) -> str:
    title = escape(sweep.title)
    inside = f'<p class="refusal">{escape(sweep.refusal)}</p>' if sweep.refusal else ""
    for strength, one in zip(STRENGTHS, sweep.shown, strict=False):
        rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in one.figures)
        reading = f'<p class="reading">Oracle: {escape(one.reading)}</p>' if one.reading else ""
        picture = f'<img src="{one.picture}" alt="{title}, strength {strength:g}">'
        inside += f'<div class="at" data-strength="{strength:g}">{picture}{reading}<table>{rows}</table>'
        inside += f"{_command(one.command)}</div>"
    return f'<article class="card"><h3>{title}</h3>{inside}</article>'


def _command(line: str) -> str:
    inside = f'<code>{escape(line)}</code><button type="button" onclick="{_COPY}">Copy</button>'
    return f'<details class="command"><summary>The command that makes this</summary>{inside}</details>'
