"""Training settings that differ from the published ones, by tier and kind of picture; the README gives the reasons."""

from __future__ import annotations

from typing import Any

from textedit_bench.presets import Row, settings_of

_PRESETS: tuple[Row, ...] = (
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
    return settings_of(_PRESETS, tier, kind)
