"""Facts about StyleCLIP's latent optimisation, readable without torch."""

from __future__ import annotations

from textedit_bench.info import MethodInfo
from textedit_bench.ranges import AT_LEAST_ONE, NOT_NEGATIVE, POSITIVE, SHARE

CARD = MethodInfo(
    name="styleclip-optimization",
    title="StyleCLIP optimization",
    paper="StyleCLIP: Text-Driven Manipulation of StyleGAN Imagery",
    arxiv="2103.17249",
    editor="textedit_methods.styleclip_optimization.editor:StyleCLIPOptimization",
    space="w+",
    trains="none",
    tasks=("edit", "generate"),
    strength_default=1.0,
    strength_meaning="the optimised code itself; other strengths go along the straight line from the source code to it",
    in_loop={"clip": "the guiding CLIP", "identity": "the guiding identity network, where its weight is above 0"},
    weights_licence="none: the method has no weights of its own",
    # The released command line's defaults.
    settings={
        "space": "w+",  # or "s"
        "steps": 300,
        "learning_rate": 0.1,
        "l2_weight": 0.008,
        "identity_weight": 0.0,
        "clip_preprocessing": "published",  # or "correct"
        "truncation": 0.7,  # of the random starts of generation
        "batch_size": 1,  # pairs optimised at once; changes memory and time, not results
    },
    tier_settings={"mini": {"steps": 40, "l2_weight": 0.002, "batch_size": 24}},
    valid={
        "space": ("w+", "s"),
        "steps": AT_LEAST_ONE,
        "learning_rate": POSITIVE,
        "l2_weight": NOT_NEGATIVE,
        "identity_weight": NOT_NEGATIVE,
        "clip_preprocessing": ("published", "correct"),
        "truncation": SHARE,
        "batch_size": AT_LEAST_ONE,
    },
    trial={"steps": 6},
)
