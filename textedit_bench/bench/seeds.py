"""Seeds from named axes, so that neither order nor sharding changes a result."""

from __future__ import annotations

import hashlib
import json


def seed_of(**axes: str | int | float | None) -> int:
    """A seed in [0, 2**63) that depends on the axes' names and values alone.

    Example:
        >>> seed_of(image="evaluation-00003", prompt="blond-hair", seed=0) == seed_of(
        ...     seed=0, prompt="blond-hair", image="evaluation-00003")
        True
    """
    text = json.dumps(axes, sort_keys=True, ensure_ascii=True, allow_nan=False)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
