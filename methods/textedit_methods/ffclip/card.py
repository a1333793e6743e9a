"""Facts about FFCLIP, readable without torch."""

from __future__ import annotations

from textedit_bench.info import MethodInfo
from textedit_bench.ranges import AT_LEAST_ONE, NOT_NEGATIVE, POSITIVE, SHARE

CARD = MethodInfo(
    name="ffclip",
    title="FFCLIP",
    paper="One Model to Edit Them All: Free-Form Text-Driven Image Manipulation with Semantic Modulations",
    arxiv="2210.07883",
    editor="textedit_methods.ffclip.editor:FFCLIP",
    space="w+",
    trains="per-dataset",
    strength_default=1.0,
    strength_meaning="the whole offset that the mapper predicts is added to the W+ code",
    in_loop={"clip": "the guiding CLIP", "identity": "the guiding identity network"},
    weights_licence="none stated by the authors",
    released={"full": {"ffhq": ("ffclip-ffhq",), "car": ("ffclip-car",), "church": ("ffclip-church",)}},
    training={
        # the loss, published weights
        "clip_weight": 1.0,
        "identity_weight": 0.9,
        "latent_weight": 1.6,
        "background_weight": 2.0,
        "embedding_weight": 1.0,
        "pixel_weight": 0.0,
        # the optimiser, published values
        "learning_rate": 5e-4,
        "batch_size": 8,
        "epochs": 19,
        "gradient_clip": 5.0,
        # our additions, neutral by default
        "steps_per_epoch": 0,  # 0: one pass over the training codes
        "warmup_steps": 0,
        "ema_decay": 0.0,
        "start_scale": 1.0,
        "final_slope": 0.01,
        "clip_preprocessing": "published",  # or "correct"
        "codes": "photos",
        "num_codes": 0,  # 0: the whole training split
    },
    valid={
        "clip_weight": NOT_NEGATIVE,
        "identity_weight": NOT_NEGATIVE,
        "latent_weight": NOT_NEGATIVE,
        "background_weight": NOT_NEGATIVE,
        "embedding_weight": NOT_NEGATIVE,
        "pixel_weight": NOT_NEGATIVE,
        "start_scale": POSITIVE,
        "final_slope": SHARE,
        "learning_rate": NOT_NEGATIVE,
        "batch_size": AT_LEAST_ONE,
        "epochs": AT_LEAST_ONE,
        "gradient_clip": NOT_NEGATIVE,
        "steps_per_epoch": NOT_NEGATIVE,
        "warmup_steps": NOT_NEGATIVE,
        "ema_decay": SHARE,
        "clip_preprocessing": ("published", "correct"),
        "codes": ("photos", "samples"),
        "num_codes": NOT_NEGATIVE,
    },
    trial={"epochs": 1, "steps_per_epoch": 2, "batch_size": 2, "codes": "photos", "num_codes": 8},
)
