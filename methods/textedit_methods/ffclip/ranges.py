"""Values of the training's settings with which nothing could be trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textedit_bench.errors import UserError, unknown_choice

_PREPROCESSING = ("published", "correct")


def check_ranges(settings: Mapping[str, Any]) -> None:
    """Refuse them before anything is computed.

    Raises:
        UserError: names the setting, its value and what is valid.
    """
    if settings["clip_preprocessing"] not in _PREPROCESSING:
        raise unknown_choice("clip_preprocessing", settings["clip_preprocessing"], _PREPROCESSING)
    for name in ("batch_size", "epochs"):
        _require(name, settings[name] >= 1, settings, "whole numbers from 1")
    for name in ("steps_per_epoch", "num_codes", "warmup_steps"):
        _require(name, settings[name] >= 0, settings, "whole numbers from 0")
    for name in ("learning_rate", "gradient_clip"):
        _require(name, settings[name] >= 0, settings, "numbers from 0")
    _require("ema_decay", 0 <= settings["ema_decay"] <= 1, settings, "0 to 1")


def _require(name: str, fulfilled: bool, settings: Mapping[str, Any], valid: str) -> None:
    if not fulfilled:
        raise UserError(f"{name}: {settings[name]} is out of range; valid: {valid}")
