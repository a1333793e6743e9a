"""Base model of all parts of an experiment file."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters, line ends among them, and those that turn the direction of what follows."""


def _printable(text: str) -> str:
    if found := _UNPRINTABLE.search(text):
        raise ValueError(f"holds the control character {found[0]!r}")
    return text


Line = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_printable)]
"""One line of text, which may be empty."""
Text = Annotated[Line, Field(min_length=1)]
Number = Annotated[float, Field(strict=True)]
"""A finite number; not a truth value and not a text that looks like one."""
Whole = Annotated[int, Field(strict=True)]


class Strict(BaseModel):
    """Frozen data without unknown fields, and with finite numbers only."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
