"""Derive seeds from named axes, so that neither order nor sharding changes a result."""

from __future__ import annotations

import hashlib


def seed_of(*parts: object, **axes: object) -> int:
    """Derive a seed in [0, 2**63) from the parts, in order, and the axes' names and values.

    Example:
        >>> seed_of(image="evaluation-00003", prompt="blond-hair", seed=0) == seed_of(
        ...     seed=0, prompt="blond-hair", image="evaluation-00003")
        True
    """
    named = [f"{name}={axes[name]!r}" for name in sorted(axes)]
    digest = hashlib.sha256("|".join([*map(str, parts), *named]).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1
