"""The card of StyleCLIP's latent mapper; imports no torch."""

from __future__ import annotations

from textedit_bench.info import MethodInfo
from textedit_bench.latent_mapper.settings import MINI, TRIAL, MapperSettings

RELEASED_PREFIX = "sc-mapper-"
RELEASED_NAMES = {
    "mohawk hairstyle": "mohawk",
    "afro hairstyle": "afro",
    **dict.fromkeys(["bob cut", "bob cut hairstyle", "bob-cut hairstyle"], "bobcut"),
    **dict.fromkeys(["bowl cut", "bowl cut hairstyle", "bowl-cut hairstyle"], "bowlcut"),
    "surprise": "surprised",
    "johnny depp": "depp",
    **dict.fromkeys(["hillary clinton", "hilary clinton"], "hilary-clinton"),
    "donald trump": "trump",
    "mark zuckerberg": "zuckerberg",
}
"""Normalised phrase -> name of its released mapper, where they differ: files have short names, cards have phrases."""
_RELEASED = (
    "afro", "angry", "beyonce", "bobcut", "bowlcut", "curly-hair", "depp", "hilary-clinton", "mohawk", "purple-hair",
    "surprised", "taylor-swift", "trump", "zuckerberg",
)  # fmt: skip


class Settings(MapperSettings):
    """Those of every mapper; the README gives the reasons."""


CARD = MethodInfo(
    name="styleclip-mapper",
    title="StyleCLIP mapper",
    paper="StyleCLIP: Text-Driven Manipulation of StyleGAN Imagery",
    arxiv="2103.17249",
    editor="textedit_methods.styleclip_mapper.method:StyleCLIPMapper",
    space="w+",
    trains="per-prompt",
    strength_meaning="0.1 times what the prompt's mapper predicts is added to the code",
    in_loop={"clip": "the guiding CLIP", "identity": "the guiding identity network"},
    weights_licence="MIT",
    released={"full": {"ffhq": tuple(f"{RELEASED_PREFIX}{phrase}" for phrase in _RELEASED)}},
    model=Settings,
    presets=(
        # ArcFace means nothing on other pictures; the authors' advice there is the latent term alone.
        (None, ("animal", "scene", "object"), {"identity_weight": 0.0}),
        ("mini", None, MINI),
    ),
    trial=TRIAL,
)
