"""The card of DeltaEdit; imports no torch."""

from __future__ import annotations

from typing import Literal

from textedit_bench.info import MethodInfo
from textedit_bench.settings import MethodSettings, edit_setting, training_setting


class Settings(MethodSettings):
    """Settings of mask, mapper, loss, optimiser, pairs and relevance matrix; our additions are off by default."""

    threshold: float = edit_setting(
        0.03, "minimum relevance of a channel, for the unnormalised text difference", source="code", ge=0
    )
    templates: Literal["imagenet", "none"] = edit_setting("imagenet", "sentence templates for texts", source="code")
    relevance_file: str = edit_setting("", "a released fs3.npy instead of the matrix stored with the weights")

    hidden: int = training_setting(0, "width of the inner layers; 0: that of the group", ge=0)
    depth: int = training_setting(4, "layers of every module", source="code", ge=1)
    mse_weight: float = training_setting(1.0, "weight of the squared error", source="paper", ge=0)
    cosine_weight: float = training_setting(1.0, "weight of the cosine distance", source="paper", ge=0)
    learning_rate: float = training_setting(
        0.5, "learning rate of Adam; the layers multiply it by 0.01", source="code", ge=0
    )
    final_rate: float = training_setting(
        1.0, "final share of the learning rate after cosine decay; 1: constant", ge=0, le=1
    )
    batch_size: int = training_setting(64, "pairs per step", source="code", ge=1)
    steps: int = training_setting(200_000, "steps of the optimiser", source="code", ge=1)
    steps_per_validation: int = training_setting(10_000, "steps between two validations", ge=1)
    num_samples: int = training_setting(200_000, "samples of the generator among the images", source="paper", ge=0)
    num_photos: int = training_setting(58_000, "inverted photos among the images", source="paper", ge=0)
    clip_preprocessing: Literal["published", "correct"] = training_setting(
        "published", "how images are preprocessed for CLIP"
    )
    statistics_samples: int = training_setting(100_000, "samples for the statistics of channels", source="code", ge=1)
    relevance_images: int = training_setting(100, "base images of the relevance sweep", source="paper", ge=1)
    relevance_deviations: float = training_setting(
        5.0, "step of the sweep, in standard deviations", source="paper", gt=0
    )
    truncation: float = training_setting(0.7, "truncation of the relevance matrix's samples", source="code", ge=0, le=1)
    stored_as: Literal["float32", "float16", "int8"] = training_setting("float32", "precision of the weights")


_MINI = {
    **{"hidden": 40, "depth": 3, "steps": 12_000, "steps_per_validation": 1_000, "final_rate": 0.02},
    **{"num_samples": 6_000, "num_photos": 4_000, "statistics_samples": 10_000, "relevance_images": 8},
    **{"stored_as": "int8"},
}

CARD = MethodInfo(
    name="deltaedit",
    title="DeltaEdit",
    paper="DeltaEdit: Exploring Text-free Training for Text-Driven Image Manipulation",
    arxiv="2303.06285",
    editor="textedit_methods.deltaedit.method:DeltaEdit",
    space="s",
    trains="per-dataset",
    strength_meaning="the whole predicted style offset is added where the channel is relevant (threshold 0.03)",
    in_loop={"clip": "the guiding CLIP"},
    released={"full": {"ffhq": ("deltaedit-ffhq", "sc-fs3-ffhq")}},
    weights_licence="none stated by the authors (all rights reserved)",
    model=Settings,
    presets=(("mini", None, _MINI),),
    trial={
        **{"steps": 4, "steps_per_validation": 2, "batch_size": 4},
        **{"num_samples": 16, "num_photos": 8, "statistics_samples": 64, "relevance_images": 4},
    },
)
