"""The card of DF-GAN; imports no torch."""

from __future__ import annotations

from textedit_bench.info import MethodInfo
from textedit_bench.settings import MethodSettings, edit_setting, training_setting


class Settings(MethodSettings):
    """Sampling, files beside the authors' weights, the networks and their training."""

    truncation: float = edit_setting(
        0.88, "noise is this times a normal within [-2, 2]; 0: plain normals", source="code", ge=0
    )
    sentence: str = edit_setting(
        "the person has {}", "the authors' weights: how a text becomes a caption; {}: its words"
    )
    text_encoder: str = edit_setting("", "the authors' weights: file of the DAMSM text encoder")
    vocabulary: str = edit_setting("", "the authors' weights: file of its vocabulary (captions.pickle)")
    side: int = training_setting(256, "side of the pictures; at most that of the data set's", source="code", ge=8)
    channels: int = training_setting(32, "of the last layer; the first has eight times as many", source="code", ge=1)
    noise_dim: int = training_setting(100, "width of the noise", source="code", ge=1)
    num_photos: int = training_setting(0, "number of photos; 0: the whole training split", ge=0)
    captions: int = training_setting(10, "per photo, of which every step draws one", source="code", ge=1)
    batch_size: int = training_setting(32, "photos per step", source="code", ge=2)
    learning_rate: float = training_setting(1e-4, "learning rate of the generator's Adam", source="code", ge=0)
    critic_learning_rate: float = training_setting(4e-4, "learning rate of the critic's Adam", source="code", ge=0)
    penalty_every: int = training_setting(
        1, "critic steps per gradient penalty; its weight is multiplied accordingly", source="code", ge=1
    )
    ema_decay: float = training_setting(0.0, "decay of averaged weights; 0: no averaging", source="code", ge=0, le=1)
    flip: bool = training_setting(True, "whether half of the photos are mirrored", source="code")
    steps: int = training_setting(400_000, "of both networks", source="code", ge=1)
    steps_per_validation: int = training_setting(2_000, "steps between validations", ge=1)


_MINI = {
    **{"channels": 8, "noise_dim": 32, "batch_size": 16, "penalty_every": 4, "ema_decay": 0.998, "flip": False},
    **{"learning_rate": 3e-4, "critic_learning_rate": 8e-4, "steps": 4_500, "steps_per_validation": 500},
}
RELEASED_FILES = ("dfgan-ffhq", "mmceleba-text-encoder", "mmceleba-vocabulary")
_FACES = (
    "With released weights: trained on CelebA-HQ by the authors of TediGAN (other crop and people than the reference "
    "photos of FFHQ); words that its vocabulary lacks do not reach it. Pictures of 256 pixels, enlarged."
)

CARD = MethodInfo(
    name="dfgan",
    title="DF-GAN",
    paper="DF-GAN: A Simple and Effective Baseline for Text-to-Image Synthesis",
    arxiv="2008.05865",
    editor="textedit_methods.dfgan.method:DFGAN",
    space="image",
    trains="per-dataset",
    tasks=("generate",),
    in_loop={"clip": "the guiding CLIP's text encoder"},
    caveat={"full": _FACES},
    weights_licence="academic use only; of faces: non-commercial research and education, as CelebAMask-HQ",
    released={"full": {"ffhq": RELEASED_FILES}},
    model=Settings,
    presets=(("mini", None, _MINI),),
    trial={"channels": 2, "noise_dim": 4, "captions": 2, "batch_size": 4, "steps": 4, "steps_per_validation": 2},
)
