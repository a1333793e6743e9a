"""What a control copies of the method it is run for: the setting of its card, and how people are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MATCHES, STEP, OTHER_PROMPT = "matches", "step", "other prompt"


def copied(settings: Mapping[str, Any]) -> str:
    """``"edit"`` for a control that shows a method's edits, ``"step"`` for one that has only the size of its steps."""
    return "edit" if settings.get(MATCHES) == OTHER_PROMPT else "step"
