"""Error for pictures that are not used."""

from __future__ import annotations


class UnusableImageError(ValueError):
    """An image that is skipped; the message is the reason."""
