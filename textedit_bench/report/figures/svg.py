"""Convert a matplotlib figure to SVG for a page: colours follow the page's theme, marks have tooltips.

Styles of matplotlib become attributes, which a strict content policy allows, and its identifiers are removed, since
figures of one page must not share them.
"""

from __future__ import annotations

import io
import json
import re
import warnings
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from textedit_bench.report.figures.canvas import COLOURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NAMES = {value: f"var(--{name})" for name, value in COLOURS.items()}
_KEPT = {"d", "x", "y", "width", "height", "transform", "viewBox"}
_NUMBER, _UPRIGHT = re.compile(r"-?\d+\.\d{2,}"), re.compile(r"rotate\(-?0 [^)]*\)")
_DRAWN = {"clip-path", "fill", "fill-opacity", "opacity", "stroke", "stroke-dasharray", "stroke-linecap"}
_DRAWN |= {"stroke-linejoin", "stroke-opacity", "stroke-width", "text-anchor", "font-size", "font-weight"}


def to_svg(figure: Figure, label: str, kind: str = "") -> str:
    """Convert the figure to one SVG element.

    Args:
        figure: a figure with tooltips from `textedit_bench.report.figures.canvas.tell`.
        label: description for screen readers.
        kind: class of the element.
    """
    import matplotlib

    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "page"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # the reader's fonts draw it
        figure.savefig(buffer, format="svg", transparent=True)
    root = ElementTree.fromstring(buffer.getvalue())
    shapes = {f"#{node.get('id')}": node for node in root.iter() if _tag(node) == "path" and node.get("id")}
    found = ElementTree.Element("svg", {"viewBox": _short(root.get("viewBox", "")), "role": "img", "aria-label": label})
    found.set("class", kind)
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
