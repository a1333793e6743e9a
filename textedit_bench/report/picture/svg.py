"""Small pieces of SVG; every text is escaped, colours are the style sheet's."""

from __future__ import annotations

from textedit_bench.report.markup import escape

COLOURS = 8
"""How many line colours the style sheet knows: classes ``c0`` to ``c7``, taken in turn."""
PATTERNS = 3
"""How many line patterns: solid, and the classes ``p1`` and ``p2``, one for every further turn of the colours."""


def line_class(number: int) -> str:
    """Class of the line of that number; the first 24 differ from each other."""
    colour, turn = number % COLOURS, number // COLOURS % PATTERNS
    return f"c{colour} p{turn}" if turn else f"c{colour}"


def element(name: str, content: str = "", **attributes: object) -> str:
    """One element; ``class_`` becomes ``class``, ``stroke_width`` becomes ``stroke-width``; content is not escaped."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_plain(value))}"' for key, value in attributes.items()
    )
    return f"<{name}{given}>{content}</{name}>"


def text(words: str, x: float, y: float, longest: int = 0, **attributes: object) -> str:
    """A line of text, of at most ``longest`` characters unless that is 0; a pointer over a cut one is told all."""
    if longest and len(words) > longest:
        return element("text", escape(f"{words[: longest - 1]}…") + hint(words), x=x, y=y, **attributes)
    return element("text", escape(words), x=x, y=y, **attributes)


def hint(words: str) -> str:
    """What a pointer over the element is told."""
    return element("title", escape(words))


def figure(body: str, width: float, height: float, label: str) -> str:
    """The picture itself, scaling with its column, with a description for those who cannot see it."""
    return element(
        "svg", body, viewBox=f"0 0 {_plain(width)} {_plain(height)}", width=width, role="img", aria_label=label
    )


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round values within a range, about ``count`` of them."""
    span = high - low
    if span <= 0:
        return [low]
    raw = span / count
    power = 10.0 ** _floor_log10(raw)
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw * 0.999)
    first = -(-low // step)
    return [round(step * k, 12) for k in range(int(first), int(first) + count + 3) if step * k <= high + 1e-9 * span]


def _floor_log10(value: float) -> int:
    from math import floor, log10

    return floor(log10(value))


def _plain(value: object) -> str:
    return format(round(value, 2), "g") if isinstance(value, float) else str(value)
