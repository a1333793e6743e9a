"""Facts about TediGAN's instance-level optimisation, readable without torch."""

from __future__ import annotations

from textedit_bench.info import MethodInfo
from textedit_bench.ranges import AT_LEAST_ONE, NOT_NEGATIVE, POSITIVE

CARD = MethodInfo(
    name="tedigan",
    title="TediGAN (instance level)",
    paper="TediGAN: Text-Guided Diverse Face Image Generation and Manipulation",
    arxiv="2012.03308",
    editor="textedit_methods.tedigan.editor:TediGAN",
    space="w+",
    trains="none",
    strength_default=1.0,
    strength_meaning="the optimised code itself; other strengths go along the straight line from the source code to it",
    in_loop={"clip": "the guiding CLIP", "encoder": "the encoder, where its weight is above 0"},
    weights_licence="none: the method has no weights of its own here",
    settings={
        "steps": 200,
        "learning_rate": 0.01,
        "clip_weight": 2.0,
        "pixel_weight": 1.0,
        "encoder_weight": 2.0,  # 0 where the data set has no encoder
        "clip_preprocessing": "correct",  # or "published"
        "batch_size": 4,  # images optimised at once; changes memory and time, not results
    },
    tier_settings={"mini": {"steps": 20, "learning_rate": 0.05, "batch_size": 24}},
    valid={
        "steps": AT_LEAST_ONE,
        "learning_rate": POSITIVE,
        "clip_weight": NOT_NEGATIVE,
        "pixel_weight": NOT_NEGATIVE,
        "encoder_weight": NOT_NEGATIVE,
        "clip_preprocessing": ("correct", "published"),
        "batch_size": AT_LEAST_ONE,
    },
    trial={"steps": 4, "learning_rate": 0.1},
)
