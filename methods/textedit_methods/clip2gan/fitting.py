"""From settings to a trained mapping network."""

from __future__ import annotations

import logging
import math
import time
from typing import TYPE_CHECKING, Any

import torch

from textedit_bench.errors import UserError
from textedit_bench.models.packing import round_to
from textedit_bench.training import LatentData, RunOptions, inverted_by, train, training_codes
from textedit_methods.clip2gan.critic import make_critic
from textedit_methods.clip2gan.losses import LossWeights
from textedit_methods.clip2gan.network import ClipMapping
from textedit_methods.clip2gan.noise import unit
from textedit_methods.clip2gan.perceptual import perceptual_distance
from textedit_methods.clip2gan.photos import TrainingPhotos, photo_features, sample_pairs
from textedit_methods.clip2gan.rest import fit_rest
from textedit_methods.clip2gan.training import Clip2GANTraining, active_weights
from textedit_methods.clip2gan.warmup import regress_codes

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.info import MethodInfo
    from textedit_bench.models.clip import ClipModel

log = logging.getLogger(__name__)

_VALIDATION_PHOTOS = 64
_PREVIEW_TEXTS = 6
_RATE_DROP_FACTOR = 0.1
_EDIT_ONLY = ("beta", "direction", "draws", "gap", "gap_scale", "keep_rest", "noise", "rest", "rows")
"""Settings that no training depends on."""


def fit_network(
    domain: Domain, clip: ClipModel, settings: dict[str, Any], run: RunOptions, info: MethodInfo
) -> ClipMapping:
    """Train a mapping network, in eval mode and frozen at the end, rounded to what its file will hold.

    Args:
        domain: whose training photos, generator, identity network and discriminator to use.
        clip: reads the photos.
        settings: all settings of the method.
        run: how to run.
        info: the method's card.

    Raises:
        UserError: a setting outside its range, or a network that is missing.
    """
    began = time.monotonic()
    _check(settings, run)
    weights, reasons = active_weights(LossWeights.from_settings(settings), domain)
    late = {"adversarial", "diversity"} if settings["adversarial_start"] else set()
    if not any(weight for name, weight in vars(weights).items() if name not in late):
        before = " before adversarial_start" if late else ""
        raise UserError(f"all weights of clip2gan that this tier can use are 0{before}: there is nothing to learn")
    for reason in reasons:
        log.warning("%s: %s", info.name, reason)

    cache = run.folder / "codes"
    photos = TrainingPhotos(domain, settings["num_photos"], cache)
    clip_name = domain.digest("clip") if settings["clip"] == "guiding" else settings["clip"]
    features = photo_features(domain, clip, clip_name, photos, settings["flip"], cache)
    held_out = min(_VALIDATION_PHOTOS, len(features) // 4)
    data = LatentData(
        features,
        batch_size=settings["batch_size"],
        steps_per_epoch=settings["steps_per_epoch"],
        choice_weights=torch.ones(features.shape[1]),
        validation=held_out,
        seed=run.seed,
        beside=lambda index, _: {"photos": photos(index)},
    )
    network = _new_network(domain, features, settings, run.seed)
    learnt = len(features) - held_out
    codes = None
    if settings["rest_rank"] or (settings["code_steps"] and not settings["code_samples"]):
        codes = training_codes(domain, "photos", len(photos), run.seed, cache)
    if settings["code_steps"]:
        if settings["code_samples"]:
            pairs = sample_pairs(domain, clip, clip_name, settings["code_samples"], run.seed, cache)
        else:
            assert codes is not None
            pairs = features[:learnt, 0], codes[:learnt]
        loss = regress_codes(network, *pairs, settings["code_steps"], run.seed)
        log.info("%s: regression to the codes ended at a mean squared error of %.3f", info.name, loss)
    epochs = settings["epochs"]
    module = Clip2GANTraining(
        network,
        domain,
        critic=make_critic(domain, photos.side, run.seed),
        clip=clip,
        photos=photos,
        perceptual=(
            perceptual_distance(domain, settings["perceptual_network"], photos.side) if weights.perceptual else None
        ),
        weights=weights,
        noise=settings["diversity_noise"],
        sigma=float(settings["sigma"]),
        adversarial_start=math.ceil(epochs * settings["adversarial_start"]),
        penalty=settings["gradient_penalty"],
        penalty_every=settings["penalty_every"],
        critic_learning_rate=settings["critic_learning_rate"],
        max_norm=settings["gradient_clip"],
        preview_titles=[card.prompt().words for card in domain.tier_card.prompts if card.split == "train"][
            :_PREVIEW_TEXTS
        ],
        preview_features=features[len(features) - min(held_out, run.preview_images) :, 0],
        learning_rate=settings["learning_rate"],
        milestones=[max(1, int(epochs * settings["rate_drop"]))],
        milestone_factor=_RATE_DROP_FACTOR,
        ema_decay=settings["ema_decay"],
        seed=run.seed,
    )
    roles = ("generator", "encoder", "identity", "discriminator")
    result = train(
        module,
        data,
        run,
        name=f"clip2gan/{domain.name}-{domain.tier}",
        identity={
            "method": "clip2gan",
            "version": info.version,
            "settings": {name: value for name, value in settings.items() if name not in _EDIT_ONLY},
            "photos": len(photos),
            "clip": clip_name,
            "networks": {role: domain.digest(role) for role in roles if domain.has(role)},
            **inverted_by(domain),
        },
        epochs=epochs,
        preparation_seconds=time.monotonic() - began,
    )
    if not result.finished:
        log.warning("%s: stopped before the end; the same command goes on from %s", info.name, result.folder)
    # Losses against a moving critic cannot be compared between epochs, and they only join after some: the last network
    # is the one to keep, not the one of the lowest validation loss.
    state = torch.load(result.folder / "last.ckpt", map_location="cpu", weights_only=True)
    module.load_state_dict(state["state_dict"])
    trained = module.trained_network()
    assert isinstance(trained, ClipMapping)
    if settings["rest_rank"] and codes is not None:
        trained.cpu()
        share = fit_rest(trained, features[:learnt, 0], codes[:learnt])
        log.info(
            "%s: %d directions hold %.0f %% of what CLIP does not say", info.name, settings["rest_rank"], 100 * share
        )
    round_to(trained, "int8")
    return trained.eval().requires_grad_(False)


def _new_network(domain: Domain, features: torch.Tensor, settings: dict[str, Any], seed: int) -> ClipMapping:
    generator = domain.generator
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = ClipMapping(
            features.shape[-1],
            generator.num_rows,
            generator.w_dim,
            depth=settings["depth"],
            hidden_dim=settings["hidden_dim"],
            final_activation=settings["final_activation"],
            rest_rank=settings["rest_rank"],
        )
    network.w_mean.copy_(generator.w_mean.flatten())
    network.image_mean.copy_(unit(features).mean((0, 1)))
    return network


def _check(settings: dict[str, Any], run: RunOptions) -> None:
    if not settings["sigma"]:  # the term would be zero, and so would its gradient
        raise UserError("sigma: 0 is out of range for a training; valid: above 0")
    if str(run.precision) == "16-mixed":
        raise UserError("precision: the gradient penalty overflows in 16-mixed; valid: 32-true, bf16-mixed")
