"""The card of HairCLIP; imports no torch."""

from __future__ import annotations

from typing import Literal

from textedit_bench.info import MethodInfo
from textedit_bench.settings import MethodSettings, edit_setting, training_setting

COLOURS = ("purple", "red", "orange", "yellow", "green", "blue", "gray", "brown", "black", "white", "blond", "pink")
STYLES = (
    *("afro", "bob cut", "bowl cut", "braid", "caesar cut", "chignon", "cornrows", "crew cut", "crown braid"),
    *("curtained hair", "dido flip", "dreadlocks", "extensions", "fade", "fauxhawk", "finger waves", "french braid"),
    *("frosted tips", "full crown", "harvard clip", "high and tight", "hime cut", "hi-top fade", "jewfro"),
    *("jheri curl", "liberty spikes", "marcel waves", "mohawk", "pageboy", "perm", "pixie cut", "psychobilly wedge"),
    *("quiff", "regular taper cut", "ringlets", "shingle bob", "short hair", "slicked-back", "spiky hair"),
    *("surfer hair", "taper cut", "the rachel", "undercut", "updo"),
)
"""The authors' lists; their texts are "<colour> hair" and "<style> hairstyle"."""


class Settings(MethodSettings):
    """The edit, the network, the loss, what is asked for in training, and the optimiser."""

    spare_other_group: bool = edit_setting(False, "whether rows of a group that is not asked for stay as they are")
    style_image: str = edit_setting("", "picture whose hair style is taken instead of the text's")
    colour_image: str = edit_setting("", "picture whose hair colour is taken instead of the text's")
    blocks: int = training_setting(5, "modulation blocks of every group of rows", source="code", ge=1)
    medium_from: int = training_setting(4, "first row of the medium group", source="code", ge=1)
    fine_from: int = training_setting(8, "first row of the fine group, which follows the colour", source="code", ge=2)
    identity_weight: float = training_setting(0.3, "weight of the identity term", source="code", ge=0)
    style_text_weight: float = training_setting(2.0, "weight of the CLIP term of a style text", source="code", ge=0)
    colour_text_weight: float = training_setting(2.0, "weight of the CLIP term of a colour text", source="code", ge=0)
    style_image_weight: float = training_setting(5.0, "weight of a style picture's features", source="code", ge=0)
    colour_image_weight: float = training_setting(0.02, "weight of a colour picture's mean Lab", source="code", ge=0)
    colour_kept_weight: float = training_setting(
        0.02, "weight of mean Lab if style alone is asked", source="code", ge=0
    )
    background_weight: float = training_setting(1.0, "weight of changes outside hair", source="code", ge=0)
    latent_weight: float = training_setting(0.8, "weight of the step's mean square", source="code", ge=0)
    style_probability: float = training_setting(0.5, "share of requests for style alone", source="code", ge=0, le=1)
    colour_probability: float = training_setting(0.2, "share of requests for colour alone", source="code", ge=0, le=1)
    both_probability: float = training_setting(0.27, "share of requests for both", source="code", ge=0, le=1)
    image_probability: float = training_setting(0.5, "share of pictures among conditions", source="code", ge=0, le=1)
    texts: Literal["published", "card"] = training_setting("published", "the authors' 56, or the card's about hair")
    clip_preprocessing: Literal["published", "correct"] = training_setting("published", "how images reach CLIP")
    optimizer: Literal["ranger", "adam"] = training_setting("ranger", "what takes the steps", source="code")
    learning_rate: float = training_setting(5e-4, "learning rate of the optimiser", source="code", ge=0)
    final_rate: float = training_setting(1.0, "share of the rate that a cosine falls to; 1: constant", ge=0, le=1)
    batch_size: int = training_setting(1, "codes per step", source="code", ge=1)
    steps: int = training_setting(500_000, "steps of the optimiser", source="code", ge=1)
    steps_per_validation: int = training_setting(2_000, "steps between validations", source="code", ge=1)
    validation_codes: int = training_setting(201, "codes held out", source="code", ge=1)
    codes: Literal["photos", "samples"] = training_setting("photos", "what is edited in training", source="paper")
    num_codes: int = training_setting(0, "how many of them; 0: the whole training split", ge=0)


_MINI = {
    **{"blocks": 2, "medium_from": 2, "fine_from": 4, "texts": "card", "optimizer": "adam"},
    **{"learning_rate": 1e-3, "final_rate": 0.1, "batch_size": 8, "steps": 1500},
    **{"steps_per_validation": 250, "validation_codes": 64, "num_codes": 2048},
    **{"style_probability": 0.35, "colour_probability": 0.35},
}
_CAVEAT = (
    "Asked for style alone, it moves the rows of colour too, and the other way round, as the published network does."
)

CARD = MethodInfo(
    name="hairclip",
    title="HairCLIP",
    paper="HairCLIP: Design Your Hair by Text and Reference Image",
    arxiv="2112.05142",
    editor="textedit_methods.hairclip.method:HairCLIP",
    space="w+",
    trains="per-dataset",
    strength_meaning="0.1 times what the mapper predicts is added to the code",
    in_loop={"clip": "the guiding CLIP", "identity": "the guiding identity network", "parser": "the face parser"},
    caveat={
        "mini": f"{_CAVEAT} There is no face parser, so the terms of background and hair colour are off.",
        "full": f"{_CAVEAT} The authors' file was trained on 'red hair', which others have not seen.",
    },
    weights_licence="LGPL-2.1 repository",
    released={"full": {"ffhq": ("hairclip-ffhq",)}},
    model=Settings,
    presets=(("mini", None, _MINI),),
    trial={"steps": 4, "steps_per_validation": 2, "validation_codes": 2, "batch_size": 2, "blocks": 1, "num_codes": 8},
)
