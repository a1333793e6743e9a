"""Training settings that differ from the published ones, by tier and kind of picture; the README gives the reasons."""

from __future__ import annotations

from typing import Any

from textedit_bench.presets import Row, settings_of

_PRESETS: tuple[Row, ...] = (
    # ArcFace and the face parser mean nothing on other pictures; the identity role holds a structure network there.
    (None, ("animal", "scene", "object"), {"identity_weight": 0.5, "background_weight": 0.0}),
    # A mapper of 128 channels bears a higher rate; half the training photos are enough and keep the preparation short.
    ("mini", None, {"steps_per_epoch": 200, "learning_rate": 1e-3, "num_codes": 2048}),
)


def preset(tier: str, kind: str) -> dict[str, Any]:
    """Settings for a data set of ``kind`` in ``tier`` that replace the card's defaults."""
    return settings_of(_PRESETS, tier, kind)
