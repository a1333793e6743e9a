"""State the settings that mappers of codes share."""

from __future__ import annotations

from typing import Literal

from textedit_bench.settings import MethodSettings, training_setting


class MapperSettings(MethodSettings):
    """Of the network, the loss and the optimiser, and our additions; defaults are those of arXiv 2103.17249."""

    mapper: Literal["levels", "single", "style", "style-full"] = training_setting(
        "levels", "one network per group of rows, one for all rows, or one per style vector", source="paper"
    )
    coarse: bool = training_setting(True, "whether the levels mapper edits rows 0 to 3", source="code")
    medium: bool = training_setting(True, "whether the levels mapper edits rows 4 to 7", source="code")
    fine: bool = training_setting(True, "whether the levels mapper edits the other rows", source="code")
    normalise: Literal["rows", "channels"] = training_setting("rows", "axis of the norm at the start", source="code")
    clip_weight: float = training_setting(1.0, "weight of the CLIP term", source="paper", gt=0)
    identity_weight: float = training_setting(0.1, "weight of the identity term", source="paper", ge=0)
    latent_weight: float = training_setting(0.8, "weight of the step's mean square", source="paper", ge=0)
    clip_preprocessing: Literal["published", "correct"] = training_setting("published", "how images reach CLIP")
    optimizer: Literal["ranger", "adam"] = training_setting("ranger", "what takes the steps", source="code")
    learning_rate: float = training_setting(0.5, "learning rate of the optimiser", source="code", ge=0)
    final_rate: float = training_setting(1.0, "share of the rate that a cosine falls to; 1: constant", ge=0, le=1)
    batch_size: int = training_setting(2, "codes per step and prompt", source="code", ge=1)
    steps: int = training_setting(50_000, "steps of the optimiser", source="code", ge=1)
    steps_per_validation: int = training_setting(2_000, "steps between validations", source="code", ge=1)
    validation_codes: int = training_setting(64, "codes held out", ge=1)
    prompts_at_once: int = training_setting(1, "prompts whose mappers are trained in one run", ge=1)
    codes: Literal["photos", "samples"] = training_setting("photos", "what is edited in training", source="paper")
    num_codes: int = training_setting(0, "how many of them; 0: the whole training split", ge=0)
    stored_as: Literal["float32", "float16", "int8"] = training_setting("float32", "what trained weights round to")


MINI = {
    **{"mapper": "single", "optimizer": "adam", "learning_rate": 4.0, "final_rate": 0.1, "batch_size": 4},
    **{"steps": 300, "steps_per_validation": 75, "validation_codes": 16, "num_codes": 1024},
    **{"prompts_at_once": 8, "stored_as": "int8"},
}
"""Of the mini tier: thousands of times fewer steps than published, on networks that cost milliseconds.

Ranger at 0.5 hardly moves in a few hundred steps: its epsilon outweighs the gradients of these networks.
"""

TRIAL = {
    **{"steps": 4, "steps_per_validation": 2, "validation_codes": 2, "batch_size": 2},
    **{"codes": "photos", "num_codes": 8},
}
"""Of a training that takes seconds."""
