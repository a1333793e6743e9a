"""Facts about StyleCLIP's latent mapper, readable without torch."""

from __future__ import annotations

from textedit_bench.info import MethodInfo
from textedit_bench.ranges import AT_LEAST_ONE, NOT_NEGATIVE, POSITIVE, SHARE

RELEASED_PREFIX = "sc-mapper-"
RELEASED_NAMES = {
    "mohawk hairstyle": "mohawk",
    "afro hairstyle": "afro",
    "bob cut": "bobcut",
    "bob cut hairstyle": "bobcut",
    "bob-cut hairstyle": "bobcut",
    "bowl cut": "bowlcut",
    "bowl cut hairstyle": "bowlcut",
    "bowl-cut hairstyle": "bowlcut",
    "surprise": "surprised",
    "johnny depp": "depp",
    "hillary clinton": "hilary-clinton",
    "hilary clinton": "hilary-clinton",
    "donald trump": "trump",
    "mark zuckerberg": "zuckerberg",
}
"""Normalised phrase -> name of its released mapper, where they differ: files have short names, cards have phrases."""
_RELEASED = (
    "afro", "angry", "beyonce", "bobcut", "bowlcut", "curly-hair", "depp", "hilary-clinton", "mohawk", "purple-hair",
    "surprised", "taylor-swift", "trump", "zuckerberg",
)  # fmt: skip

CARD = MethodInfo(
    name="styleclip-mapper",
    title="StyleCLIP mapper",
    paper="StyleCLIP: Text-Driven Manipulation of StyleGAN Imagery",
    arxiv="2103.17249",
    editor="textedit_methods.styleclip_mapper.editor:StyleCLIPMapper",
    space="w+",
    trains="per-prompt",
    strength_default=1.0,
    strength_meaning="0.1 times what the prompt's mapper predicts is added to the code",
    in_loop={"clip": "the guiding CLIP", "identity": "the guiding identity network"},
    weights_licence="MIT",
    released={"full": {"ffhq": tuple(f"{RELEASED_PREFIX}{phrase}" for phrase in _RELEASED)}},
    training={
        # the network
        "mapper": "levels",  # or "single", "style", "style-full"
        "coarse": True,  # groups of the levels mapper
        "medium": True,
        "fine": True,
        "normalise": "rows",  # as released; "channels" is ours
        # the loss, published weights
        "clip_weight": 1.0,
        "identity_weight": 0.1,
        "latent_weight": 0.8,
        "clip_preprocessing": "published",  # or "correct"
        # the optimiser, published values
        "optimizer": "ranger",  # or "adam"
        "learning_rate": 0.5,
        "final_rate": 1.0,  # share of the learning rate that a cosine falls to; 1: constant, as published
        "batch_size": 2,  # per prompt
        "steps": 50_000,
        "steps_per_validation": 2_000,
        "validation_codes": 64,
        # ours
        "prompts_at_once": 1,
        "codes": "photos",
        "num_codes": 0,  # 0: the whole training split
        "stored_as": "float32",  # or "float16", "int8"
    },
    valid={
        "mapper": ("levels", "single", "style", "style-full"),
        "normalise": ("rows", "channels"),
        "clip_weight": POSITIVE,
        "identity_weight": NOT_NEGATIVE,
        "latent_weight": NOT_NEGATIVE,
        "codes": ("photos", "samples"),
        "optimizer": ("ranger", "adam"),
        "learning_rate": NOT_NEGATIVE,
        "final_rate": SHARE,
        "batch_size": AT_LEAST_ONE,
        "steps": AT_LEAST_ONE,
        "steps_per_validation": AT_LEAST_ONE,
        "validation_codes": AT_LEAST_ONE,
        "prompts_at_once": AT_LEAST_ONE,
        "num_codes": NOT_NEGATIVE,
        "clip_preprocessing": ("published", "correct"),
        "stored_as": ("float32", "float16", "int8"),
    },
    trial={
        "steps": 4,
        "steps_per_validation": 2,
        "validation_codes": 2,
        "batch_size": 2,
        "codes": "photos",
        "num_codes": 8,
    },
)
