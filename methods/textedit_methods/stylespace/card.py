"""The card of StyleSpace with examples selected by CLIP; imports no torch."""

from __future__ import annotations

from textedit_bench.info import MethodInfo
from textedit_bench.settings import MethodSettings, edit_setting


class Settings(MethodSettings):
    """Settings of examples, channel and step; optionally files released by the authors."""

    samples: int = edit_setting(4096, "number of samples ranked by CLIP; the paper: 100,000", ge=2)
    share: float = edit_setting(
        0.02, "share of the samples that are examples; the paper: 20 to 30 examples", gt=0, le=0.5
    )
    channels: int = edit_setting(1, "number of edited channels, each by alpha / sqrt(channels)", source="paper", ge=1)
    alpha: float = edit_setting(10.0, "step in standard deviations of the channel; the maximum of the authors' slider")
    seed: int = edit_setting(0, "seed of the samples")
    named: str = edit_setting(
        "", "a published edit (full tier), or channels as 'LAYER:CHANNEL ...', instead of the text's"
    )
    official: str = edit_setting("", "folder of the authors' files; S_mean_std there gives the deviations")
    label: str = edit_setting("", "attribute of a classifier whose examples, in `official`, replace CLIP's")
    region: int = edit_setting(
        -1, "region of `official`'s semantic_top_32 to which the channel must belong; -1: any", ge=-1
    )


CARD = MethodInfo(
    name="stylespace",
    title="StyleSpace (CLIP examples)",
    paper="StyleSpace Analysis: Disentangled Controls for StyleGAN Image Generation",
    arxiv="2011.12799",
    editor="textedit_methods.stylespace.method:StyleSpace",
    space="s",
    trains="none",
    strength_meaning="the channel that tells the prompt's examples best moves by `alpha` of its standard deviations",
    in_loop={"clip": "the guiding CLIP"},
    caveat={
        tier: "The paper has no text: the guiding CLIP picks the examples that find the channel (ours)."
        for tier in ("mini", "full")
    },
    weights_licence="none: the channels are found here; no licence is stated for the authors' code and files",
    model=Settings,
    tier_settings={"mini": {"samples": 2048}},
    trial={"samples": 64, "share": 0.125},
)
