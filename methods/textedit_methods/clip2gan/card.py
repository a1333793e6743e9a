"""The card of CLIP2GAN and its variant on given inversions; imports no torch."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from textedit_bench.info import MethodInfo
from textedit_bench.settings import MethodSettings, edit_setting, training_setting

MovingNoise = Literal["multiplicative", "additive_literal", "additive_rms"]
"""Readings of the published noise that move a feature."""
Noise = Literal[MovingNoise, "none"]


class Settings(MethodSettings):
    """Settings of edit, generation, loss, network and optimiser; the README lists what the paper leaves open."""

    beta: float = edit_setting(0.3, "step at strength 1, as a multiple of the text's direction")
    direction: Literal["residual", "literal", "delta"] = edit_setting(
        "residual", "how the text's direction is computed"
    )
    gap: Literal["none", "centre"] = edit_setting("none", "how the modality gap of a text's feature is bridged")
    gap_scale: float = edit_setting(0.45, "with gap=centre: scale of a text's difference from the mean picture feature")
    noise: Noise = edit_setting("multiplicative", "interpretation of the published noise, for generation")
    sigma: float = edit_setting(0.6, "standard deviation of the noise", source="paper", learnt=True, ge=0)
    keep_rest: bool = edit_setting(False, "whether edits preserve the directions that CLIP does not encode")
    rest: float = edit_setting(
        0.0, "generation: variation along directions that CLIP does not encode; 1: that of photos"
    )
    draws: int = edit_setting(1, "generation: draws per picture, of which the best one is kept", ge=1)
    rows: str = edit_setting("", "W+ rows that an edit may change, such as 0-3,7; empty: all")
    clip: str = edit_setting("guiding", "or a file or open_clip name, such as ViT-B-16-quickgelu:openai", learnt=True)

    reconstruction_weight: float = training_setting(1.0, "weight of the squared difference", ge=0)
    perceptual_weight: float = training_setting(0.8, "weight of the perceptual distance", ge=0)
    adversarial_weight: float = training_setting(0.1, "weight of the adversarial term", ge=0)
    identity_weight: float = training_setting(0.1, "weight of the identity term", ge=0)
    diversity_weight: float = training_setting(0.1, "weight of the diversity term", ge=0)
    consistency_weight: float = training_setting(0.0, "weight of the consistency of CLIP features", ge=0)
    diversity_noise: MovingNoise = training_setting("multiplicative", "like noise, for the diversity term")
    gradient_penalty: float = training_setting(10.0, "weight of the gradient penalty", ge=0)
    perceptual_network: Literal["alex", "vgg", "discriminator"] = training_setting(
        "alex", "LPIPS, or our discriminator"
    )
    depth: int = training_setting(12, "fully connected layers", source="paper", ge=1)
    hidden_dim: int = training_setting(0, "width between the layers; 0: that of CLIP", ge=0)
    final_activation: bool = training_setting(False, "whether the last layer has an activation")
    learning_rate: float = training_setting(1e-4, "learning rate of Adam", ge=0)
    critic_learning_rate: float = training_setting(1e-4, "learning rate of the critic's Adam", ge=0)
    batch_size: int = training_setting(8, "photos per step", ge=1)
    epochs: int = training_setting(100, "epochs of the training", ge=1)
    steps_per_epoch: int = training_setting(1000, "steps per epoch; 0: one pass over the photos", ge=0)
    gradient_clip: float = training_setting(0.0, "maximum norm of the gradient; 0: unlimited", ge=0)
    adversarial_start: float = training_setting(
        0.1, "share of the epochs before the adversarial and the diversity term start", ge=0, le=1
    )
    rate_drop: float = training_setting(
        0.8, "share of the epochs after which the learning rate is divided by ten", ge=0, le=1
    )
    ema_decay: float = training_setting(0.0, "decay of averaged weights; 0: no averaging", ge=0, le=1)
    penalty_every: int = training_setting(
        1, "critic steps per gradient penalty; its weight is multiplied accordingly", ge=1
    )
    flip: bool = training_setting(True, "whether mirrored photos are added to the training")
    num_photos: int = training_setting(0, "number of photos; 0: the whole training split", ge=0)
    rest_rank: int = training_setting(0, "number of directions that CLIP does not encode, for the setting rest", ge=0)
    code_steps: int = training_setting(0, "steps of regression to codes before the training", ge=0)
    code_samples: int = training_setting(0, "samples of the generator for the regression; 0: the photos' codes", ge=0)


CARD = MethodInfo(
    name="clip2gan",
    title="CLIP2GAN",
    paper="CLIP2GAN: Towards Bridging Text with the Latent Space of GANs",
    arxiv="2211.15045",
    editor="textedit_methods.clip2gan.method:CLIP2GAN",
    space="w+",
    trains="per-dataset",
    tasks=("edit", "generate"),
    strength_meaning="beta (ours) times the text's direction is added to the code of the picture's CLIP feature",
    own_inversion=True,
    in_loop={"clip": "the guiding CLIP", "identity": "the guiding identity network"},
    weights_licence="none: the authors published no weights",
    caveat={"full": "trained on LPIPS (alex) unless told otherwise: that LPIPS is in its loop"},
    model=Settings,
    tier_settings={
        "mini": {
            **{"direction": "delta", "beta": 1.0, "gap": "centre", "gap_scale": 0.7},
            **{"keep_rest": True, "noise": "none", "rest": 1.4, "draws": 16},
        }
    },
    presets=(
        # ArcFace means nothing on other pictures; the identity role holds a structure network there (e4e's weight).
        (None, ("animal", "scene", "object"), {"identity_weight": 0.5}),
        (
            "mini",
            None,
            {
                # LPIPS judges; the frozen discriminator's maps do not.
                "perceptual_network": "discriminator",
                # A critic's gradient has norm 1 over the whole picture; that of a mean squared error of 0.06 over
                # 64x64x3 numbers has 2 * sqrt(0.06 / 12288) = 0.0044. At 0.1 the critic alone would decide.
                "adversarial_weight": 0.01,
                **{"hidden_dim": 128, "num_photos": 2048, "rest_rank": 24, "code_steps": 4000, "code_samples": 12288},
                **{"epochs": 10, "steps_per_epoch": 60, "learning_rate": 3e-4, "adversarial_start": 0.5},
                **{"penalty_every": 4, "ema_decay": 0.98},
            },
        ),
    ),
    trial={
        **{"epochs": 3, "steps_per_epoch": 2, "adversarial_start": 0.0, "adversarial_weight": 1.0, "ema_decay": 0.0},
        **{"num_photos": 8, "batch_size": 4, "code_steps": 1, "code_samples": 64, "depth": 2, "hidden_dim": 8},
        **{"rest_rank": 2},
    },
)

CARD_E4E = replace(
    CARD,
    name="clip2gan-e4e",
    title="CLIP2GAN, from the given inversion",
    editor="textedit_methods.clip2gan.method:CLIP2GANFromInversion",
    tasks=("edit",),
    strength_meaning="beta (ours) times the text's direction is added to the photo's inverted code",
    own_inversion=False,
)
