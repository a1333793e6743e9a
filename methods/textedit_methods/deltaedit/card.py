"""Facts about DeltaEdit, readable without torch."""

from __future__ import annotations

from textedit_bench.info import MethodInfo
from textedit_bench.ranges import AT_LEAST_ONE, NOT_NEGATIVE, POSITIVE, SHARE

CARD = MethodInfo(
    name="deltaedit",
    title="DeltaEdit",
    paper="DeltaEdit: Exploring Text-free Training for Text-Driven Image Manipulation",
    arxiv="2303.06285",
    editor="textedit_methods.deltaedit.editor:DeltaEdit",
    space="s",
    trains="per-dataset",
    strength_default=1.0,
    strength_meaning="the whole predicted style offset is added where the channel is relevant (threshold 0.03)",
    in_loop={"clip": "the guiding CLIP"},
    released={"full": {"ffhq": ("deltaedit-ffhq", "sc-fs3-ffhq")}},
    weights_licence="none stated by the authors (all rights reserved)",
    settings={
        "threshold": 0.03,  # on the raw, not normalised, text difference
        "templates": "imagenet",  # or "none": the bare sentences
        "relevance_file": "",  # a released fs3.npy instead of the matrix beside the weights
    },
    training={
        # the network
        "hidden": 0,  # width of the inner layers; 0: that of the group, as published
        "depth": 4,
        # the loss, published weights
        "mse_weight": 1.0,
        "cosine_weight": 1.0,
        # the optimiser, published values
        "learning_rate": 0.5,
        "final_rate": 1.0,  # share of the learning rate that a cosine falls to; 1: constant, as published
        "batch_size": 64,
        "steps": 200_000,
        "steps_per_validation": 10_000,
        # the pairs, published numbers
        "num_samples": 200_000,
        "num_photos": 58_000,
        "clip_preprocessing": "published",  # or "correct"
        # the relevance matrix, published values
        "statistics_samples": 100_000,
        "relevance_images": 100,
        "relevance_deviations": 5.0,
        "truncation": 0.7,
        "stored_as": "float32",  # or "float16", "int8"
    },
    valid={
        "mse_weight": NOT_NEGATIVE,
        "cosine_weight": NOT_NEGATIVE,
        "relevance_deviations": POSITIVE,
        "truncation": SHARE,
        "threshold": NOT_NEGATIVE,
        "templates": ("imagenet", "none"),
        "hidden": NOT_NEGATIVE,
        "depth": AT_LEAST_ONE,
        "learning_rate": NOT_NEGATIVE,
        "final_rate": SHARE,
        "batch_size": AT_LEAST_ONE,
        "steps": AT_LEAST_ONE,
        "steps_per_validation": AT_LEAST_ONE,
        "num_samples": NOT_NEGATIVE,
        "num_photos": NOT_NEGATIVE,
        "clip_preprocessing": ("published", "correct"),
        "statistics_samples": AT_LEAST_ONE,
        "relevance_images": AT_LEAST_ONE,
        "stored_as": ("float32", "float16", "int8"),
    },
    trial={
        "steps": 4,
        "steps_per_validation": 2,
        "batch_size": 4,
        "num_samples": 16,
        "num_photos": 8,
        "statistics_samples": 64,
        "relevance_images": 4,
    },
)
