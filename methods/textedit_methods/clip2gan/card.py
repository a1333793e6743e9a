"""Facts about CLIP2GAN and its variant on given inversions, readable without torch."""

from __future__ import annotations

from dataclasses import replace

from textedit_bench.info import MethodInfo
from textedit_bench.ranges import AT_LEAST_ONE, NOT_NEGATIVE, SHARE

MOVING = ("multiplicative", "additive_literal", "additive_rms")
"""Readings of the published noise that move a feature."""
NOISES = (*MOVING, "none")

CARD = MethodInfo(
    name="clip2gan",
    title="CLIP2GAN",
    paper="CLIP2GAN: Towards Bridging Text with the Latent Space of GANs",
    arxiv="2211.15045",
    editor="textedit_methods.clip2gan.editor:CLIP2GAN",
    space="w+",
    trains="per-dataset",
    tasks=("edit", "generate"),
    strength_default=1.0,
    strength_meaning="beta (ours) times the text's direction is added to the code of the picture's CLIP feature",
    own_inversion=True,
    in_loop={"clip": "the guiding CLIP", "identity": "the guiding identity network"},
    weights_licence="none: the authors published no weights",
    caveat={"full": "trained on LPIPS (alex) unless told otherwise: that LPIPS is in its loop"},
    settings={
        "beta": 0.3,
        "direction": "residual",  # or "literal", "delta"
        "gap": "none",  # or "centre"
        "gap_scale": 0.45,  # with centre: how far from the mean picture feature a text's difference goes
        "noise": "multiplicative",  # or "additive_literal", "additive_rms", "none"
        "sigma": 0.6,
        "keep_rest": False,  # whether texts leave alone what CLIP does not say
        "rest": 0.0,  # generation: how much of what CLIP does not say is drawn; 1 as much as photos differ
        "draws": 1,  # generation: of how many draws a picture keeps the best new one (ours)
        "rows": "",  # W+ rows that an edit may change, such as "0-3,7"; all where empty
        "clip": "guiding",  # or a file or open_clip name, such as "ViT-B-16-quickgelu:openai"
    },
    tier_settings={
        "mini": {
            "beta": 1.0,
            "direction": "delta",
            "gap": "centre",
            "gap_scale": 0.7,
            "keep_rest": True,
            "noise": "none",
            "rest": 1.4,
            "draws": 16,
        }
    },
    training={
        # the loss: every weight is ours
        "reconstruction_weight": 1.0,
        "perceptual_weight": 0.8,
        "adversarial_weight": 0.1,
        "identity_weight": 0.1,
        "diversity_weight": 0.1,
        "consistency_weight": 0.0,
        "diversity_noise": "multiplicative",  # as the setting noise, but not "none"
        "gradient_penalty": 10.0,
        "perceptual_network": "alex",  # or "vgg", "discriminator"
        # the network
        "depth": 12,
        "hidden_dim": 0,  # 0: the width of CLIP
        "final_activation": False,
        # the optimiser
        "learning_rate": 1e-4,
        "critic_learning_rate": 1e-4,
        "batch_size": 8,
        "epochs": 100,
        "steps_per_epoch": 1000,
        "gradient_clip": 0.0,
        "adversarial_start": 0.1,  # share of the epochs that come before the adversarial and the diversity term
        "rate_drop": 0.8,  # share of the epochs after which the rate is a tenth
        "ema_decay": 0.0,
        "penalty_every": 1,
        "flip": True,
        "num_photos": 0,  # 0: the whole training split
        "rest_rank": 0,  # directions of what CLIP does not say, for the setting rest
        "code_steps": 0,  # steps of regression to codes before the training
        "code_samples": 0,  # the regression's samples of the generator; 0: the inverted photos in their place
    },
    valid={
        "reconstruction_weight": NOT_NEGATIVE,
        "perceptual_weight": NOT_NEGATIVE,
        "identity_weight": NOT_NEGATIVE,
        "adversarial_weight": NOT_NEGATIVE,
        "diversity_weight": NOT_NEGATIVE,
        "consistency_weight": NOT_NEGATIVE,
        "gradient_penalty": NOT_NEGATIVE,
        "direction": ("residual", "literal", "delta"),
        "gap": ("none", "centre"),
        "noise": NOISES,
        "sigma": NOT_NEGATIVE,
        "draws": AT_LEAST_ONE,
        "diversity_noise": MOVING,
        "perceptual_network": ("alex", "vgg", "discriminator"),
        "depth": AT_LEAST_ONE,
        "hidden_dim": NOT_NEGATIVE,
        "learning_rate": NOT_NEGATIVE,
        "critic_learning_rate": NOT_NEGATIVE,
        "batch_size": AT_LEAST_ONE,
        "epochs": AT_LEAST_ONE,
        "steps_per_epoch": NOT_NEGATIVE,
        "gradient_clip": NOT_NEGATIVE,
        "adversarial_start": SHARE,
        "rate_drop": SHARE,
        "ema_decay": SHARE,
        "penalty_every": AT_LEAST_ONE,
        "num_photos": NOT_NEGATIVE,
        "rest_rank": NOT_NEGATIVE,
        "code_steps": NOT_NEGATIVE,
        "code_samples": NOT_NEGATIVE,
    },
    trial={
        "epochs": 1,
        "steps_per_epoch": 2,
        "num_photos": 8,
        "batch_size": 4,
        "code_steps": 4,
        "code_samples": 64,
        "depth": 2,
        "hidden_dim": 8,
        "rest_rank": 2,
    },
)

CARD_E4E = replace(
    CARD,
    name="clip2gan-e4e",
    title="CLIP2GAN, from the given inversion",
    editor="textedit_methods.clip2gan.editor:CLIP2GANFromInversion",
    tasks=("edit",),
    strength_meaning="beta (ours) times the text's direction is added to the photo's inverted code",
    own_inversion=False,
)
