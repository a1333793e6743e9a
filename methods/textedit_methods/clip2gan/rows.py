"""Which W+ rows an edit may change."""

from __future__ import annotations

import re

from textedit_bench.errors import UserError

_PART = re.compile(r"^(\d{1,4})(?:-(\d{1,4}))?$")


def read_rows(text: str, count: int) -> list[int]:
    """``"0-3,7"`` -> [0, 1, 2, 3, 7]; every row where the text is empty.

    Args:
        text: row numbers from 0 and ranges, both ends included, separated by commas.
        count: W+ rows there are.

    Raises:
        UserError: something else, or a row that does not exist.
    """
    if not text.strip():
        return list(range(count))
    rows: set[int] = set()
    for part in text.split(","):
        match = _PART.match(part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not first <= last < count:
            raise UserError(
                f"rows: {part.strip()!r} in {text!r}; valid: rows or ranges from 0 to {count - 1}, as 0-3,7"
            )
        rows.update(range(first, last + 1))
    return sorted(rows)
