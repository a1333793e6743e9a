"""Training settings that differ from the published ones, by tier; the README gives the reasons."""

from __future__ import annotations

from typing import Any

_PRESETS: dict[str, dict[str, Any]] = {
    "mini": {
        "hidden": 40,
        "depth": 3,
        "steps": 12_000,
        "steps_per_validation": 1_000,
        "final_rate": 0.02,
        "num_samples": 6_000,
        "num_photos": 4_000,
        "statistics_samples": 10_000,
        "relevance_images": 8,
        "stored_as": "int8",
    },
}


def preset(tier: str) -> dict[str, Any]:
    """Settings for a tier that replace the card's defaults."""
    return dict(_PRESETS.get(tier, {}))
