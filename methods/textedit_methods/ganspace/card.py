"""The card of GANSpace with components selected by CLIP; imports no torch."""

from __future__ import annotations

from typing import Literal

from textedit_bench.info import MethodInfo
from textedit_bench.settings import MethodSettings, edit_setting


class Settings(MethodSettings):
    """Settings of components, selection by text, and step; optionally the authors' components and edits."""

    components: int = edit_setting(80, "number of components, at most the width of W", source="code", ge=1)
    samples: int = edit_setting(100_000, "samples of W; the paper: 1,000,000", ge=2)
    estimator: Literal["exact", "incremental"] = edit_setting(
        "exact", "estimator of the components; the released one: incremental"
    )
    images: int = edit_setting(6, "sampled images per candidate", ge=1)
    width: float = edit_setting(3.0, "step to either side for CLIP, in standard deviations", gt=0)
    rule: Literal["change", "cosine"] = edit_setting(
        "change", "rank candidates by the projection of CLIP's change on the text, or by its cosine"
    )
    picks: int = edit_setting(1, "number of best candidates that are combined, each scaled by its projection", ge=1)
    step: float = edit_setting(4.0, "step in standard deviations of the component", gt=0)
    form: Literal["offset", "centred", "absolute"] = edit_setting(
        "offset", "edit from the code, centred, or to a coordinate"
    )
    seed: int = edit_setting(0, "seed of the samples")
    file: str = edit_setting("", "the authors' components (npz or pt) instead of ours")
    named: str = edit_setting(
        "", "a published edit of `file`, or 'COMPONENT:START-END:DEVIATIONS', instead of the text's"
    )


CARD = MethodInfo(
    name="ganspace",
    title="GANSpace (CLIP picks)",
    paper="GANSpace: Discovering Interpretable GAN Controls",
    arxiv="2004.02546",
    editor="textedit_methods.ganspace.method:GANSpace",
    space="w+",
    trains="none",
    strength_meaning="the component and rows that the guiding CLIP picks move by `step` of the component's deviations",
    in_loop={"clip": "the guiding CLIP"},
    caveat={
        tier: "The paper has no text: the guiding CLIP picks the component, its rows and its sign (ours)."
        for tier in ("mini", "full")
    },
    weights_licence="none: the components are found here; the authors' are under Apache-2.0",
    model=Settings,
    tier_settings={"mini": {"components": 60, "samples": 20_000}},
    # With few toy components two texts often select the same one; the step sizes of several distinguish the texts.
    trial={"components": 4, "samples": 256, "images": 2, "picks": 4},
)
