"""Text of strangers inside HTML and SVG."""

from __future__ import annotations

import html
import re

_INVALID = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""What no page may hold."""


def escape(text: str) -> str:
    """The text as a page shows it: no markup, and no characters that a page may not hold."""
    return html.escape(_INVALID.sub("", text))
