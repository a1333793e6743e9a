"""The card of FFCLIP; imports no torch."""

from __future__ import annotations

from typing import Literal

from textedit_bench.info import MethodInfo
from textedit_bench.settings import MethodSettings, training_setting

PUBLISHED_PHRASES: dict[str, dict[str, int]] = {
    "ffhq": {
        **dict.fromkeys(["Sad", "Surprise", "Fear", "Contempt"], 2),
        **dict.fromkeys(["Neutral", "happy", "Disgust", "Anger"], 1),
        **{f"{who} Aged {age}": 1 for who in ("Woman", "Man") for age in (40, 80, 10, 20)},
        **dict.fromkeys(["Bald", "make up", "closed eyes", "wearing glasses", "Taylor Swift"], 2),
        **{f"{colour} eyes": 1 for colour in ("Blue", "Green")},
        **{
            f"{look} hair": 1
            for look in (
                *("Purple", "Green", "Orange", "Yellow", "Blue", "Gray"),
                *("Brown", "Black", "White", "Blond", "Pink", "curly"),
            )
        },
        "Beard": 1,
        **{
            f"{cut} hairstyle": 1
            for cut in ("afro", "bowl cut", "mohawk", "jewfro", "dreadlocks", "cornrows", "Hi-top Fade", "Bob Cut")
        },
    },
    "car": {
        **{f"{colour} car": 1 for colour in ("Red", "Blue", "Gray", "Black", "White", "silver")},
        **dict.fromkeys(["Jeep", "Sports car", "From Sixties"], 1),
    },
}
"""The released training lists: phrase -> times listed. Phrases are drawn uniformly from the list with its repeats."""


class Settings(MethodSettings):
    """Settings of loss and optimiser, and our additions, which are off by default."""

    clip_weight: float = training_setting(1.0, "weight of the CLIP term", source="paper", ge=0)
    identity_weight: float = training_setting(0.9, "weight of the identity term", source="code", ge=0)
    latent_weight: float = training_setting(1.6, "weight of the offset's L1 norm", source="code", ge=0)
    background_weight: float = training_setting(2.0, "weight of changes outside hair", source="code", ge=0)
    embedding_weight: float = training_setting(1.0, "weight of the CLIP features' change", source="code", ge=0)
    pixel_weight: float = training_setting(0.0, "weight of the pixels' change", source="code", ge=0)
    learning_rate: float = training_setting(5e-4, "learning rate of Adam", source="paper", ge=0)
    batch_size: int = training_setting(8, "codes per step", source="code", ge=1)
    epochs: int = training_setting(19, "passes over the codes", source="code", ge=1)
    gradient_clip: float = training_setting(5.0, "maximum norm of the gradient", source="code", ge=0)
    steps_per_epoch: int = training_setting(0, "steps per epoch; 0: one pass over the training codes", ge=0)
    warmup_steps: int = training_setting(0, "warm-up steps of the learning rate", ge=0)
    ema_decay: float = training_setting(0.0, "decay of averaged weights; 0: no averaging", ge=0, le=1)
    start_scale: float = training_setting(1.0, "scale of the initial offsets", gt=0)
    final_slope: float = training_setting(0.01, "negative slope after the last block", source="code", ge=0, le=1)
    clip_preprocessing: Literal["published", "correct"] = training_setting(
        "published", "how images are preprocessed for CLIP"
    )
    codes: Literal["photos", "samples"] = training_setting("photos", "source of the training codes", source="paper")
    num_codes: int = training_setting(0, "number of training codes; 0: the whole training split", ge=0)


CARD = MethodInfo(
    name="ffclip",
    title="FFCLIP",
    paper="One Model to Edit Them All: Free-Form Text-Driven Image Manipulation with Semantic Modulations",
    arxiv="2210.07883",
    editor="textedit_methods.ffclip.method:FFCLIP",
    space="w+",
    trains="per-dataset",
    strength_meaning="the whole offset that the mapper predicts is added to the W+ code",
    in_loop={"clip": "the guiding CLIP", "identity": "the guiding identity network"},
    weights_licence="none stated by the authors",
    released={"full": {"ffhq": ("ffclip-ffhq",), "car": ("ffclip-car",), "church": ("ffclip-church",)}},
    model=Settings,
    presets=(
        # ArcFace and the face parser mean nothing on other pictures; the identity role holds a structure network there.
        (None, ("animal", "scene", "object"), {"identity_weight": 0.5, "background_weight": 0.0}),
        # A mapper of 128 channels bears a higher rate; half the training photos keep the preparation short.
        ("mini", None, {"steps_per_epoch": 200, "learning_rate": 1e-3, "num_codes": 2048}),
    ),
    trial={"epochs": 2, "steps_per_epoch": 2, "batch_size": 2, "codes": "photos", "num_codes": 8},
)
