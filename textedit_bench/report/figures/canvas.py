"""Create styled figures, with one colour and marker per method and tooltips, and convert them to SVG for a page.

Styles of matplotlib become attributes, which a strict content policy allows, and its identifiers are removed, since
figures of one page must not share them.
"""

from __future__ import annotations

import io
import json
import re
import textwrap
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from textedit_bench.report.collect import ComparableCells

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


PALETTE = {
    "ink": ("#1b1e23", "#e7e9ed"), "soft": ("#59616e", "#a2aab6"), "line": ("#dde1e7", "#333942"),
    "band": ("#eef0f4", "#262b32"), "card": ("#ffffff", "#1b1e23"), "page": ("#fbfbfc", "#14161a"),
    "good": ("#0b62c4", "#6ea8fe"), "bad": ("#d97706", "#d98a2b"), "heat": ("#b3401f", "#f0804f"),
    "c0": ("#0b63c5", "#6cb0ff"), "c1": ("#c2410c", "#ff9a5c"), "c2": ("#0f7a55", "#56cf9f"),
    "c3": ("#a21f7a", "#f28bd0"), "c4": ("#8a6100", "#e3bb4c"), "c5": ("#5b3fc4", "#b39dff"),
    "c6": ("#0e7c92", "#5fd0e6"), "c7": ("#b91c4b", "#ff86a5"), "c8": ("#4d7c0f", "#a3d65c"),
    "c9": ("#6b7280", "#c3c8d0"),
}  # fmt: skip
"""Colours by name: on white (pages and papers) and on a dark page."""
COLOURS = {name: light for name, (light, _) in PALETTE.items()}
LINES = tuple(value for name, value in COLOURS.items() if re.fullmatch(r"c\d", name))
MARKERS = ("o", "s", "^", "D", "v")
SMALL, NORMAL = 10.0, 11.0
"""Font sizes in pixels of the page."""
_INVALID = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Look:
    """Colour and marker of a method in all figures.

    Attributes:
        colour: its value on white.
        marker: a marker of matplotlib; it changes each time the colours are used up.
    """

    colour: str
    marker: str


def method_looks(titles: Sequence[str]) -> dict[str, Look]:
    """Assign a look to each title; the first 50 differ."""
    turns = [divmod(i, len(LINES)) for i in range(len(titles))]
    looks = (Look(LINES[colour], MARKERS[turn % len(MARKERS)]) for turn, colour in turns)
    return dict(zip(titles, looks, strict=True))


def looks_of(collected: Sequence[ComparableCells]) -> dict[str, Look]:
    """Assign a look to each method of all data sets, by name."""
    rows = [row for part in collected for row in part.rows if not row.control]
    return method_looks([title for _, title in sorted({(row.method, row.title) for row in rows})])


def blank(width: float, height: float) -> Figure:
    """Create an empty figure with a size in pixels of the page."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width / 72, height / 72), dpi=72)


def place(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Create axes at pixels from the upper left corner, with a grid along x and without a frame."""
    whole_width, whole_height = (72 * size for size in figure.get_size_inches())
    box = (left / whole_width, 1 - (top + height) / whole_height, width / whole_width, height / whole_height)
    axis = figure.add_axes(box)
    axis.patch.set_visible(False)
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0, labelsize=SMALL, labelcolor=COLOURS["soft"])
    axis.grid(axis="x", color=COLOURS["line"], linewidth=1)
    axis.set_axisbelow(True)
    return axis


def name_rows(axis: Axes, titles: Sequence[str], longest: int = 34, names: Sequence[str] = ()) -> None:
    """Write a name per method next to its row, top to bottom, by default its title; long ones smaller on two lines."""
    names = names or titles
    axis.set_yticks(range(len(names)), [plain(shorten(name, longest, 2)) for name in names])
    axis.set_ylim(len(names) - 0.5, -0.5)
    for title, name, label in zip(titles, names, axis.get_yticklabels(), strict=True):
        label.set(color=COLOURS["ink"], fontsize=NORMAL if len(name) <= longest else SMALL - 1, linespacing=1.0)
        tell(label, name, method=title)


def names_width(titles: Sequence[str], longest: int = 34) -> float:
    """Return the width in pixels of titles next to axes; those on two lines are small."""
    return 12 + 6.7 * max((len(title) if len(title) <= longest else 0.8 * longest for title in titles), default=0)


def caption(axis: Axes, x: str, y: str = "") -> None:
    """Label the axes."""
    axis.set_xlabel(plain(x), fontsize=NORMAL, color=COLOURS["soft"])
    axis.set_ylabel(plain(y), fontsize=NORMAL, color=COLOURS["soft"])


def head(axis: Axes, title: str, longest: int) -> None:
    """Write a title above axes, on two lines if it is long; then it gets a tooltip."""
    found = axis.set_title(plain(shorten(title, longest, 2)), fontsize=NORMAL, color=COLOURS["ink"], pad=5)
    if len(title) > longest:
        tell(found, title)


def shorten(title: str, longest: int, lines: int = 1) -> str:
    """Break a title into lines; what does not fit becomes an ellipsis."""
    return "\n".join(textwrap.wrap(title, longest, max_lines=lines, placeholder="…"))


def plain(title: str) -> str:
    """Escape a label that matplotlib would hide (leading underscore) or read as mathematics."""
    return _INVALID.sub("", title).replace("$", r"\$").lstrip("_") or " "


def tell(artist: Artist, words: str, **facts: str | float) -> None:
    """Attach a tooltip to an artist, and data for the page's script."""
    told = {"title": words, **facts}
    artist.set_gid(json.dumps({k: _INVALID.sub("", v) if isinstance(v, str) else v for k, v in told.items()}))


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move positions, in order, at least ``gap`` apart while they fit between two ends."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    found = [min(max(wanted[i], low), high) for i in order]
    for k in range(1, len(found)):
        found[k] = max(found[k], found[k - 1] + gap)
    last = high
    for k in reversed(range(len(found))):
        found[k] = last = min(found[k], last)
        last -= gap
    return [position for _, position in sorted(zip(order, found, strict=True))]


_NAMES = {value: f"var(--{name})" for name, value in COLOURS.items()}
_KEPT = {"d", "x", "y", "width", "height", "transform", "viewBox"}
_NUMBER, _UPRIGHT = re.compile(r"-?\d+\.\d{2,}"), re.compile(r"rotate\(-?0 [^)]*\)")
_DRAWN = {"clip-path", "fill", "fill-opacity", "opacity", "stroke", "stroke-dasharray", "stroke-linecap"}
_DRAWN |= {"stroke-linejoin", "stroke-opacity", "stroke-width", "text-anchor", "font-size", "font-weight"}


def to_svg(figure: Figure, label: str) -> str:
    """Convert the figure to one SVG element.

    Args:
        figure: a figure with tooltips from `tell`.
        label: description for screen readers.
    """
    import matplotlib

    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "page"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # the reader's fonts draw it
        figure.savefig(buffer, format="svg", transparent=True)
    root = ElementTree.fromstring(buffer.getvalue())
    shapes = {f"#{node.get('id')}": node for node in root.iter() if _tag(node) == "path" and node.get("id")}
    found = ElementTree.Element("svg", {"viewBox": _short(root.get("viewBox", "")), "role": "img", "aria-label": label})
    found.set("width", _short(root.get("width", "").removesuffix("pt")))
    for child in root:
        _copy(child, found, shapes)
    return ElementTree.tostring(found, encoding="unicode", short_empty_elements=False)


def _copy(node: ElementTree.Element, into: ElementTree.Element, shapes: dict[str, ElementTree.Element]) -> None:
    tag, name = _tag(node), node.get("id", "")
    if tag in ("metadata", "defs"):
        return
    attributes = {key: short for key, value in node.attrib.items() if key in _KEPT and (short := _short(value))}
    if tag == "use":  # a marker: its shape, moved
        shape = shapes[node.get("{http://www.w3.org/1999/xlink}href", "")]
        tag, attributes = "path", {"d": _short(shape.get("d", ""))}
        attributes["transform"] = _short(f"translate({node.get('x')} {node.get('y')})")
    for style in node.get("style", "").split(";"):
        key, _, value = style.partition(":")
        if key.strip() in _DRAWN and "url(" not in value:
            attributes[key.strip()] = _NAMES.get(value.strip(), value.strip().removesuffix("px"))
    facts = json.loads(name) if name.startswith("{") else {}
    words = facts.pop("title", "")
    if words:
        attributes |= {"class": "mark", **{f"data-{key}": str(value) for key, value in facts.items()}}
    if tag == "g" and not attributes:  # a group of matplotlib's own
        for child in node:
            _copy(child, into, shapes)
        return
    made = ElementTree.SubElement(into, tag, attributes)
    made.text = node.text if tag == "text" else None
    if words:
        ElementTree.SubElement(made, "title").text = words
    for child in node:
        _copy(child, made, shapes)


def _tag(node: ElementTree.Element) -> str:
    return node.tag.rpartition("}")[2]


def _short(text: str) -> str:
    """Shorten the SVG: numbers with one digit, joined lines."""
    rounded = _NUMBER.sub(lambda match: f"{float(match[0]):.1f}".removesuffix(".0"), text)
    return " ".join(_UPRIGHT.sub("", rounded).split())
