"""Say why a picture is not used."""

from __future__ import annotations


class UnusableImageError(ValueError):
    """An image that is skipped; the message says why."""
