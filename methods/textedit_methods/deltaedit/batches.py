"""How many pictures a generator makes at once."""

from __future__ import annotations

_MOST = 64
_PIXELS = 1 << 22
"""Four pictures of 1024 pixels, whose feature maps take 2 GB; as many as `_MOST` of 256 or fewer."""


def images_at_once(resolution: int) -> int:
    """Pictures per pass, so that a large generator does not take tens of gigabytes."""
    return max(1, min(_MOST, _PIXELS // resolution**2))
