"""The card of InterFaceGAN with CLIP labels; imports no torch."""

from __future__ import annotations

from textedit_bench.info import MethodInfo
from textedit_bench.settings import MethodSettings, edit_setting


class Settings(MethodSettings):
    """Settings of samples and boundary."""

    samples: int = edit_setting(4096, "number of labelled samples; the paper: 500,000", ge=2)
    share: float = edit_setting(0.1, "share of the samples at either end of the scores; the paper: 0.02", gt=0, le=0.5)
    penalty: float = edit_setting(1.0, "regularisation C of the support vector machine", gt=0)
    step: float = edit_setting(1.0, "step of an edit, in distances of the two groups", gt=0)
    seed: int = edit_setting(0, "seed of the samples")


CARD = MethodInfo(
    name="interfacegan",
    title="InterFaceGAN (CLIP labels)",
    paper="Interpreting the Latent Space of GANs for Semantic Face Editing",
    arxiv="1907.10786",
    editor="textedit_methods.interfacegan.method:InterFaceGAN",
    space="w+",
    trains="none",
    strength_meaning="every row moves along the boundary's normal by `step` times the distance between the two groups "
    "of samples that it separates",
    in_loop={"clip": "the guiding CLIP"},
    weights_licence="none: the boundaries are found here",
    model=Settings,
    tier_settings={"mini": {"samples": 2048, "step": 1.5}},
    trial={"samples": 64, "share": 0.25},
)
