"""Facts about StyleCLIP's global directions, readable without torch."""

from __future__ import annotations

from textedit_bench.info import MethodInfo
from textedit_bench.ranges import AT_LEAST_ONE, NOT_NEGATIVE, POSITIVE, SHARE, Numbers

CARD = MethodInfo(
    name="styleclip-global",
    title="StyleCLIP global",
    paper="StyleCLIP: Text-Driven Manipulation of StyleGAN Imagery",
    arxiv="2103.17249",
    editor="textedit_methods.styleclip_global.editor:StyleCLIPGlobal",
    space="s",
    # Nothing is learnt: what `train` makes is the preprocessing of one generator, a matrix of channel relevances.
    trains="per-dataset",
    strength_default=1.0,
    strength_meaning="a step of alpha standard deviations in the most relevant channel; strength multiplies alpha",
    in_loop={"clip": "the guiding CLIP"},
    released={"full": {"ffhq": ("sc-fs3-ffhq",)}},
    weights_licence="none stated for the released matrices (code: MIT)",
    settings={
        "alpha": 4.1,
        "beta": 0.15,
        "auto_beta": 0,  # k > 0: the largest of the published betas that edits more than k channels, instead of beta
        "relevance": "sweep",  # or "gradient": without the matrix
        "probes": 32,  # of the gradient
        "gradient_images": 32,
    },
    training={
        "sweep": "correct",  # or "released"
        "images": 100,
        "width": 5.0,  # standard deviations to either side
        "samples": 100_000,  # of W, for the statistics
        "truncation": 0.7,
        "truncated_rows": 0,  # 0: all
    },
    valid={
        "auto_beta": NOT_NEGATIVE,
        "beta": SHARE,
        "relevance": ("sweep", "gradient"),
        "probes": AT_LEAST_ONE,
        "gradient_images": AT_LEAST_ONE,
        "sweep": ("correct", "released"),
        "images": AT_LEAST_ONE,
        "width": POSITIVE,
        "samples": Numbers(2),
        "truncation": SHARE,
        "truncated_rows": NOT_NEGATIVE,
    },
    trial={"images": 4, "samples": 64, "probes": 4, "gradient_images": 4},
)
