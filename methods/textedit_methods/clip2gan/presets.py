"""Training settings that differ from the card's, by tier and kind of picture; the README gives the reasons."""

from __future__ import annotations

from typing import Any

from textedit_bench.presets import Row, settings_of

_PRESETS: tuple[Row, ...] = (
    # ArcFace means nothing on other pictures; the identity role holds a structure network there (e4e's weight).
    (None, ("animal", "scene", "object"), {"identity_weight": 0.5}),
    (
        "mini",
        None,
        {
            "hidden_dim": 128,
            # LPIPS judges; the frozen discriminator's maps do not.
            "perceptual_network": "discriminator",
            # A critic's gradient has norm 1 over the whole picture; that of a mean squared error of 0.06 over 64x64x3
            # numbers has 2 * sqrt(0.06 / 12288) = 0.0044. At 0.1 the critic alone would decide.
            "adversarial_weight": 0.01,
            "num_photos": 2048,
            "rest_rank": 24,
            "code_steps": 4000,
            "code_samples": 12288,
            "learning_rate": 3e-4,
            "epochs": 10,
            "steps_per_epoch": 60,
            "adversarial_start": 0.5,
            "penalty_every": 4,
            "ema_decay": 0.98,
        },
    ),
)


def preset(tier: str, kind: str) -> dict[str, Any]:
    """Settings for a data set of ``kind`` in ``tier`` that replace the card's defaults."""
    return settings_of(_PRESETS, tier, kind)
