"""The card of TediGAN's instance-level optimisation; imports no torch."""

from __future__ import annotations

from typing import Literal

from textedit_bench.info import MethodInfo
from textedit_bench.settings import MethodSettings, edit_setting


class Settings(MethodSettings):
    """Settings of terms and optimiser; those marked as the code's are of the authors' release (``base``)."""

    steps: int = edit_setting(200, "steps of Adam", source="code", ge=1)
    learning_rate: float = edit_setting(0.01, "constant learning rate of Adam", source="code", gt=0)
    clip_weight: float = edit_setting(2.0, "weight of the CLIP term", source="code", ge=0)
    pixel_weight: float = edit_setting(1.0, "weight of the pixel term", source="code", ge=0)
    encoder_weight: float = edit_setting(2.0, "weight of the encoder term; 0 without an encoder", source="code", ge=0)
    feature_weight: float = edit_setting(0.0, "weight of VGG's feature term; published: 5e-5", later=True, ge=0)
    feature_network: str = edit_setting("", "file of its VGG-16; the authors' downloaded one if empty", later=True)
    truncation: float = edit_setting(
        0.7, "truncation of the random initial codes of generation", later=True, ge=0, le=1
    )
    clip_preprocessing: Literal["correct", "published"] = edit_setting(
        "correct", "how images are preprocessed for CLIP"
    )
    batch_size: int = edit_setting(4, "images optimised at once; changes memory and time, not results", ge=1)


CARD = MethodInfo(
    name="tedigan",
    title="TediGAN (instance level)",
    paper="TediGAN: Text-Guided Diverse Face Image Generation and Manipulation",
    arxiv="2012.03308",
    editor="textedit_methods.tedigan.method:TediGAN",
    space="w+",
    trains="none",
    tasks=("edit", "generate"),
    strength_meaning="the optimised code itself; other strengths go along the straight line from the source code to it",
    in_loop={
        "clip": "the guiding CLIP",
        "encoder": "the encoder, where its weight is above 0",
        "perceptual": "a VGG-16, where feature_weight is above 0; not the AlexNet of the LPIPS here",
    },
    weights_licence="none: the method has no weights of its own here",
    model=Settings,
    tier_settings={"mini": {"steps": 20, "learning_rate": 0.05, "batch_size": 24}},
    trial={"steps": 4, "learning_rate": 0.1},
)
