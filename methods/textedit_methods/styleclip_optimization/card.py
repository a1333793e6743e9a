"""The card of StyleCLIP's latent optimisation; imports no torch."""

from __future__ import annotations

from typing import Literal

from textedit_bench.info import MethodInfo
from textedit_bench.settings import MethodSettings, edit_setting


class Settings(MethodSettings):
    """The released command line's defaults."""

    space: Literal["w+", "s"] = edit_setting("w+", "what is optimised: W+ codes or styles", source="code")
    steps: int = edit_setting(300, "steps of Adam", source="code", ge=1)
    learning_rate: float = edit_setting(0.1, "peak learning rate", source="code", gt=0)
    l2_weight: float = edit_setting(0.008, "weight of the codes' change", source="code", ge=0)
    identity_weight: float = edit_setting(0.0, "weight of the identity term", source="code", ge=0)
    clip_preprocessing: Literal["published", "correct"] = edit_setting(
        "published", "how images are preprocessed for CLIP"
    )
    truncation: float = edit_setting(
        0.7, "truncation of the random initial codes of generation", source="code", ge=0, le=1
    )
    batch_size: int = edit_setting(1, "pairs optimised at once; changes memory and time, not results", ge=1)


CARD = MethodInfo(
    name="styleclip-optimization",
    title="StyleCLIP optimization",
    paper="StyleCLIP: Text-Driven Manipulation of StyleGAN Imagery",
    arxiv="2103.17249",
    editor="textedit_methods.styleclip_optimization.method:StyleCLIPOptimization",
    space="w+",
    trains="none",
    tasks=("edit", "generate"),
    strength_meaning="the optimised code itself; other strengths go along the straight line from the source code to it",
    in_loop={"clip": "the guiding CLIP", "identity": "the guiding identity network, where its weight is above 0"},
    weights_licence="none: the method has no weights of its own",
    model=Settings,
    tier_settings={"mini": {"steps": 40, "l2_weight": 0.002, "batch_size": 24}},
    trial={"steps": 6},
)
