"""Ranges of the settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textedit_bench.errors import UserError, unknown_choice
from textedit_methods.styleclip_global.card import CARD

_CHOICES = {"relevance": ("sweep", "gradient"), "sweep": ("correct", "released")}
_LEAST = {"auto_beta": 0, "probes": 1, "gradient_images": 1, "images": 1, "samples": 2, "truncated_rows": 0}
_LIMITS = {"beta": (0.0, 1.0), "truncation": (0.0, 1.0)}


def check(settings: Mapping[str, Any]) -> None:
    """Refuse what is out of range.

    Raises:
        UserError: names the setting, its value and what is valid.
    """
    for name, choices in _CHOICES.items():
        if settings[name] not in choices:
            raise unknown_choice(f"{name} of {CARD.name}", str(settings[name]), choices)
    for name, least in _LEAST.items():
        if settings[name] < least:
            raise UserError(f"setting {name} of {CARD.name}: {settings[name]} is out of range; valid: {least} or more")
    for name, (low, high) in _LIMITS.items():
        if not low <= settings[name] <= high:
            raise UserError(
                f"setting {name} of {CARD.name}: {settings[name]} is out of range; valid: {low:g} to {high:g}"
            )
    if not settings["width"] > 0:
        raise UserError(f"setting width of {CARD.name}: {settings['width']} is out of range; valid: above 0")
