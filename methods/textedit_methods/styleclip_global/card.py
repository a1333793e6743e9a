"""The card of StyleCLIP's global directions; imports no torch."""

from __future__ import annotations

from typing import Literal

from textedit_bench.info import MethodInfo
from textedit_bench.settings import MethodSettings, edit_setting, training_setting


class Settings(MethodSettings):
    """Settings of the step, and of the preprocessing of a generator."""

    alpha: float = edit_setting(4.1, "step of the most relevant channel, in standard deviations", source="code")
    beta: float = edit_setting(0.15, "minimum relevance of an edited channel", source="code", ge=0, le=1)
    auto_beta: int = edit_setting(
        0, "k > 0: the largest of the published betas that edits more than k channels, instead of beta", ge=0
    )
    relevance: Literal["sweep", "gradient"] = edit_setting("sweep", "source of the channels' relevance")
    probes: int = edit_setting(32, "random directions for estimating the gradients' lengths", ge=1)
    gradient_images: int = edit_setting(32, "base images of the gradients", ge=1)
    sweep: Literal["correct", "released"] = training_setting("correct", "whether changed channels are restored")
    images: int = training_setting(100, "base images of the sweep", source="code", ge=1)
    width: float = training_setting(
        5.0, "step of the sweep to either side, in standard deviations", source="code", gt=0
    )
    samples: int = training_setting(100_000, "samples of W for the channels' statistics", source="code", ge=2)
    truncation: float = training_setting(0.7, "truncation of these samples", source="code", ge=0, le=1)
    truncated_rows: int = training_setting(0, "number of truncated rows; 0: all", source="code", ge=0)


CARD = MethodInfo(
    name="styleclip-global",
    title="StyleCLIP global",
    paper="StyleCLIP: Text-Driven Manipulation of StyleGAN Imagery",
    arxiv="2103.17249",
    editor="textedit_methods.styleclip_global.method:StyleCLIPGlobal",
    space="s",
    # Nothing is learnt: what `train` makes is the preprocessing of one generator, a matrix of channel relevances.
    trains="per-dataset",
    strength_meaning="a step of alpha standard deviations in the most relevant channel; strength multiplies alpha",
    in_loop={"clip": "the guiding CLIP"},
    released={"full": {"ffhq": ("sc-fs3-ffhq",)}},
    weights_licence="none stated for the released matrices (code: MIT)",
    model=Settings,
    # The sweep's time is proportional to its base images: a hundred take half an hour of one core here.
    presets=(("mini", None, {"images": 16}),),
    trial={"images": 4, "samples": 64, "probes": 4, "gradient_images": 4},
)
