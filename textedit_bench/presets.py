"""Settings that replace a card's defaults by tier and kind of picture, as rows that methods write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Row = tuple[str | None, tuple[str, ...] | None, Mapping[str, Any]]
"""Tier, or None for any; kinds of data set, or None for any; settings."""


def settings_of(rows: Iterable[Row], tier: str, kind: str) -> dict[str, Any]:
    """The settings of every row that is about a tier and a kind; later rows win."""
    chosen: dict[str, Any] = {}
    for for_tier, for_kinds, settings in rows:
        if for_tier in (None, tier) and (for_kinds is None or kind in for_kinds):
            chosen.update(settings)
    return chosen
