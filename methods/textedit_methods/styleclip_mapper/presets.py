"""Training settings that differ from the published ones, by tier and kind of picture; the README gives the reasons."""

from __future__ import annotations

from typing import Any

# (tier or None for any, kinds of data set or None for any, settings); later rows win.
_PRESETS: tuple[tuple[str | None, tuple[str, ...] | None, dict[str, Any]], ...] = (
    # ArcFace means nothing on other pictures; the authors' advice there is the latent term alone.
    (None, ("animal", "scene", "object"), {"identity_weight": 0.0}),
    # Thousands of times fewer steps than published, on networks that cost milliseconds.
    (
        "mini",
        None,
        {
            "mapper": "single",
            # Ranger at 0.5 hardly moves in a few hundred steps: its epsilon outweighs the gradients of these networks.
            "optimizer": "adam",
            "learning_rate": 4.0,
            "final_rate": 0.1,
            "batch_size": 4,
            "steps": 300,
            "steps_per_validation": 75,
            "validation_codes": 16,
            "prompts_at_once": 8,
            "num_codes": 1024,
            "stored_as": "int8",
        },
    ),
)


def preset(tier: str, kind: str) -> dict[str, Any]:
    """Settings for a data set of ``kind`` in ``tier`` that replace the card's defaults."""
    chosen: dict[str, Any] = {}
    for for_tier, for_kinds, settings in _PRESETS:
        if for_tier in (None, tier) and (for_kinds is None or kind in for_kinds):
            chosen.update(settings)
    return chosen
