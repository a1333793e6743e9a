"""Fit a delta model: features, relevance matrix, one training run."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from textedit_bench.files import locked
from textedit_bench.models.packing import round_to
from textedit_bench.prompt import Prompt
from textedit_bench.training import LatentData, RunOptions, inverted_by, train
from textedit_methods.deltaedit.card import CARD
from textedit_methods.deltaedit.checkpoint import load_relevance
from textedit_methods.deltaedit.editing import masked_offset
from textedit_methods.deltaedit.features import training_features
from textedit_methods.deltaedit.model import DeltaModel
from textedit_methods.deltaedit.network import DeltaMapper, split_widths
from textedit_methods.deltaedit.relevance import SweepSettings, relevance_matrix, relevant
from textedit_methods.deltaedit.styles import edited_widths, with_offset, without_rgb
from textedit_methods.deltaedit.texts import text_difference
from textedit_methods.deltaedit.training import DeltaTraining

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

log = logging.getLogger(__name__)

_VALIDATION = 256
_PREVIEW_PROMPTS = 8


def fit_model(domain: Domain, settings: Mapping[str, Any], run: RunOptions, shown: Sequence[Prompt]) -> DeltaModel:
    """Train on pairs of images; ``shown`` prompts appear in the validation pictures alone."""
    began = time.monotonic()
    features = training_features(
        domain,
        samples=settings["num_samples"],
        photos=settings["num_photos"],
        preprocessing=settings["clip_preprocessing"],
        seed=run.seed,
        folder=run.folder / "features",
    )
    relevance = _relevance(domain, settings, run.folder / "relevance")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(run.seed)
        mapper = DeltaMapper(
            split_widths(edited_widths(domain.generator)),
            2 * domain.clip.embed_dim,
            settings["hidden"],
            settings["depth"],
        )
    per_epoch = min(settings["steps_per_validation"], settings["steps"])
    epochs = -(-settings["steps"] // per_epoch)
    held_out = min(_VALIDATION, len(features.styles) // 4)
    partners = torch.ones(len(features.styles))
    data = LatentData(
        features.styles,
        batch_size=min(settings["batch_size"], len(partners) - held_out),
        steps_per_epoch=per_epoch,
        choice_weights=partners,
        validation=held_out,
        seed=run.seed,
        beside=features.pairs,
    )
    module = DeltaTraining(
        mapper,
        domain,
        weights={name: float(settings[f"{name}_weight"]) for name in ("mse", "cosine")},
        total_steps=epochs * per_epoch,
        final_rate=float(settings["final_rate"]),
        draw=_preview(domain, settings, relevance, shown[:_PREVIEW_PROMPTS], run.preview_images),
        learning_rate=settings["learning_rate"],
        seed=run.seed,
    )
    result = train(
        module,
        data,
        run,
        name=f"{CARD.name}/{domain.name}-{domain.tier}",
        identity={
            "method": CARD.name,
            "version": CARD.version,
            "settings": {name: settings[name] for name in CARD.training},
            "networks": {role: domain.digest(role) for role in ("generator", "encoder", "clip") if domain.has(role)},
            **inverted_by(domain),
        },
        epochs=epochs,
        preparation_seconds=time.monotonic() - began,
    )
    if not result.finished:
        log.warning("deltaedit: stopped before the end; the same command goes on from %s", result.folder)
    trained: Any = module.trained_network()
    model = DeltaModel(trained.cpu(), relevance, settings["clip_preprocessing"])
    round_to(model, settings["stored_as"])  # what is evaluated is exactly what `save` keeps
    return model.eval().requires_grad_(False)


def _relevance(domain: Domain, settings: Mapping[str, Any], folder: Path) -> Tensor:
    """The matrix of the setting ``relevance_file``, else the sweep's, kept by content."""
    if settings["relevance_file"]:
        return load_relevance(settings["relevance_file"], sum(edited_widths(domain.generator)), domain.clip.embed_dim)
    sweep = SweepSettings(
        images=settings["relevance_images"],
        deviations=float(settings["relevance_deviations"]),
        statistics_samples=settings["statistics_samples"],
        truncation=float(settings["truncation"]),
    )
    identity = json.dumps([vars(sweep), [domain.digest(role) for role in ("generator", "clip")]], sort_keys=True)
    name = f"{domain.name}-{domain.tier}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}.sweep.safetensors"
    log.info("deltaedit: relevance of every style channel, %d images each, kept as %s", sweep.images, folder / name)
    with locked(folder):
        return relevance_matrix(domain, sweep, folder / name)


def _preview(
    domain: Domain, settings: Mapping[str, Any], relevance: Tensor, prompts: Sequence[Prompt], count: int
) -> Callable[[nn.Module], tuple[list[str], Tensor]] | None:
    """Draws the inversions of some training photos and their edits by some prompts; None where there is nothing."""
    if not (prompts and count and settings["num_photos"] >= count):
        return None

    def draw(network: nn.Module) -> tuple[list[str], Tensor]:
        generator, clip = domain.generator, domain.clip
        photos = domain.photos("train", count)
        styles = generator.to_style(domain.invert(photos).codes)
        features = clip.encode_image(photos.images, preprocessing=settings["clip_preprocessing"]).float()
        network = network.to(styles.device)
        columns = [generator.synthesize_style(styles)]
        for prompt in prompts:
            source = prompt.source or domain.card.neutral
            difference = text_difference(clip, prompt.target, source, settings["templates"])
            keep = relevant(relevance.to(difference), difference, float(settings["threshold"]))
            offset = masked_offset(network, without_rgb(generator, styles), features, difference, keep)
            columns.append(generator.synthesize_style(with_offset(generator, styles, offset)))
        return ["inversion", *(prompt.words for prompt in prompts)], torch.stack(columns, dim=1)

    return draw
