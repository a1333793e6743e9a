"""The card of PPE; imports no torch."""

from __future__ import annotations

from typing import Literal

from textedit_bench.info import MethodInfo
from textedit_bench.latent_mapper.settings import MINI, TRIAL, MapperSettings
from textedit_bench.settings import training_setting

_BANGS = "ppe-mapper-bangs"
RELEASED_NAMES = {"bangs": _BANGS, "with bangs": _BANGS}
"""Normalised phrase -> asset id of its released mapper."""


class Settings(MapperSettings):
    """Those of every mapper, and the anchors."""

    entanglement_weight: float = training_setting(100.0, "weight of the anchors' squared change", source="code", ge=0)
    anchors: Literal["card", "published"] = training_setting(
        "card", "what they are chosen from: the card's other groups, or the authors' 72 texts of faces"
    )
    num_anchors: int = training_setting(10, "at most; one per group", source="code", ge=1)
    pictures: int = training_setting(24_176, "training photos that are ranked, at most; 0: all", source="code", ge=0)
    aggregated: int = training_setting(100, "of these, the nearest to the command", source="code", ge=1)
    aggregate: Literal["own", "released"] = training_setting(
        "own", "those whose nearest text of the group is the command; released: the first of the group's list"
    )


CARD = MethodInfo(
    name="ppe",
    title="PPE",
    paper="Predict, Prevent, and Evaluate: Disentangled Text-Driven Image Manipulation Empowered by Pre-Trained "
    "Vision-Language Model",
    arxiv="2111.13333",
    editor="textedit_methods.ppe.method:PPE",
    space="w+",
    trains="per-prompt",
    strength_meaning="0.1 times what the prompt's mapper predicts is added to the code; the authors show 3",
    in_loop={"clip": "the guiding CLIP", "identity": "the guiding identity network"},
    weights_licence="MIT",
    released={"full": {"ffhq": (_BANGS,)}},
    model=Settings,
    presets=(
        ("full", ("face",), {"anchors": "published"}),
        # ArcFace means nothing on other pictures.
        (None, ("animal", "scene", "object"), {"identity_weight": 0.0}),
        # A small CLIP has a wider range of cosines: their squared changes are some twenty times those of ViT-B/32.
        ("mini", None, {**MINI, "entanglement_weight": 10.0, "pictures": 2048}),
    ),
    trial={**TRIAL, "pictures": 8, "aggregated": 4},
)
