"""Facts about InterFaceGAN with CLIP labels, readable without torch."""

from __future__ import annotations

from textedit_bench.info import MethodInfo
from textedit_bench.ranges import POSITIVE, Numbers

CARD = MethodInfo(
    name="interfacegan",
    title="InterFaceGAN (CLIP labels)",
    paper="Interpreting the Latent Space of GANs for Semantic Face Editing",
    arxiv="1907.10786",
    editor="textedit_methods.interfacegan.editor:InterFaceGAN",
    space="w+",
    trains="none",
    strength_default=1.0,
    strength_meaning="every row moves along the boundary's normal by `step` times the distance between the two groups "
    "of samples that it separates",
    in_loop={"clip": "the guiding CLIP"},
    weights_licence="none: the boundaries are found here",
    settings={
        "samples": 4096,  # the paper: 500,000
        "share": 0.1,  # of the samples, at either end of the score; the paper: 0.02
        "penalty": 1.0,  # C of the support vector machine
        "step": 1.0,
        "seed": 0,  # of the samples
    },
    # Of the steps tried on development images and prompts the best mean of success and preservation.
    tier_settings={"mini": {"samples": 2048, "step": 1.5}},
    valid={
        "samples": Numbers(2),
        "share": Numbers(0, 0.5, above=True),
        "penalty": POSITIVE,
        "step": POSITIVE,
    },
    trial={"samples": 64, "share": 0.25},
)
