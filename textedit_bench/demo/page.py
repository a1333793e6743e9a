"""The parts of the demo's page as HTML; every text is escaped, every picture is within the page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from textedit_bench.demo.desk import STRENGTHS, Shown, Sweep

PHOTO = "photo-id"
"""Id of the field that names the chosen photo; a click on a sample writes it."""
RESULTS = "results"
_PICK = (
    f"const f=document.querySelector('#{PHOTO} input,#{PHOTO} textarea');f.value=this.dataset.id;"
    "f.dispatchEvent(new Event('input',{bubbles:true}))"
)
_COPY = (
    "const b=this,c=b.previousElementSibling;const s=getSelection();s.selectAllChildren(c);"
    "navigator.clipboard?navigator.clipboard.writeText(c.textContent).then(()=>b.textContent='Copied')"
    ":(document.execCommand('copy')&&(b.textContent='Copied'))"
)
SLIDE = f"(s) => {{ const r = document.querySelector('#{RESULTS} .cards'); if (r) r.dataset.at = String(s); }}"
"""What the slider does: it shows other pictures of those that are there."""


def strip(samples: Sequence[tuple[str, str]]) -> str:
    """Pictures to choose from."""
    buttons = (
        f'<button type="button" data-id="{escape(name)}" aria-label="{escape(name)}" title="{escape(name)}" '
        f'onclick="{_PICK}"><img src="{picture}" alt=""></button>'
        for name, picture in samples
    )
    return f'<div class="strip">{"".join(buttons)}</div>'


def chosen(picture: str, name: str) -> str:
    """The chosen photo."""
    return (
        f'<figure class="chosen"><img src="{picture}" alt="{escape(name)}"><figcaption>{escape(name)}</figcaption>'
        + ("</figure>")
    )


def notice(text: str) -> str:
    """One message, or nothing."""
    return f'<p class="notice" role="alert">{escape(text)}</p>' if text else ""


def cards(sweeps: Sequence[Sweep], strength: float) -> str:
    """Edits side by side, at every strength; the slider chooses what is seen."""
    return f'<div class="cards" data-at="{strength:g}">{"".join(map(_card, sweeps))}</div>'


def pictures(sweep: Sweep) -> str:
    """Generated pictures, and the command that makes all of them."""
    images = "".join(f'<img src="{one.picture}" alt="{escape(sweep.title)}">' for one in sweep.shown)
    return f'<div class="made">{images}</div>{_command(sweep.shown[0])}'


def _card(sweep: Sweep) -> str:
    if sweep.refusal:
        inside = f'<p class="refusal">{escape(sweep.refusal)}</p>'
    else:
        inside = "".join(
            f'<div class="at" data-strength="{strength:g}">{_edit(sweep.title, strength, one)}</div>'
            for strength, one in zip(STRENGTHS, sweep.shown, strict=True)
        )
    return f'<article class="card"><h3>{escape(sweep.title)}</h3>{inside}</article>'


def _edit(title: str, strength: float, one: Shown) -> str:
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in one.figures)
    reading = f'<p class="reading">Oracle: {escape(one.reading)}</p>' if one.reading else ""
    alt = f"{escape(title)}, strength {strength:g}"
    return f'<img src="{one.picture}" alt="{alt}">{reading}<table>{rows}</table>{_command(one)}'


def _command(one: Shown) -> str:
    return (
        '<details class="command"><summary>The command that makes this</summary>'
        f'<code>{escape(one.command)}</code><button type="button" onclick="{escape(_COPY)}">Copy</button></details>'
    )


def styles() -> str:
    """Rules that show the pictures of the slider's strength alone."""
    others = ",".join(f'.cards[data-at="{s:g}"] .at[data-strength="{s:g}"]' for s in STRENGTHS)
    return f".cards .at{{display:none}}{others}{{display:block}}"
