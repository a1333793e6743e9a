"""Fit mappers for phrases: codes, texts, several mappers per run, and what of it decides the outcome."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from textedit_bench.models.packing import round_to
from textedit_bench.prompt import Prompt
from textedit_bench.training import LatentData, RunOptions, inverted_by, train, training_codes
from textedit_methods.styleclip_mapper.building import new_mapper
from textedit_methods.styleclip_mapper.card import CARD
from textedit_methods.styleclip_mapper.library import normalised
from textedit_methods.styleclip_mapper.network import Mapper
from textedit_methods.styleclip_mapper.training import MapperTraining

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

log = logging.getLogger(__name__)


def run_identity(domain: Domain, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Everything but phrases and seed that decides what is learnt, as plain values."""
    return {
        "method": CARD.name,
        "version": CARD.version,
        "settings": {name: settings[name] for name in CARD.training},
        "networks": {role: domain.digest(role) for role in _roles(domain, settings)},
        **inverted_by(domain),
    }


def fit_mappers(
    domain: Domain, prompts: Sequence[Prompt], settings: Mapping[str, Any], run: RunOptions
) -> dict[str, Mapper]:
    """Trained mappers by normalised phrase, ``prompts_at_once`` of them in one run; equal phrases are trained once."""
    phrases = list(dict.fromkeys(normalised(prompt.words) for prompt in prompts))
    trained: dict[str, Mapper] = {}
    at_once = settings["prompts_at_once"]
    for start in range(0, len(phrases), at_once):
        trained.update(_fit_group(domain, phrases[start : start + at_once], settings, run))
    return trained


def _fit_group(domain: Domain, phrases: list[str], settings: Mapping[str, Any], run: RunOptions) -> dict[str, Mapper]:
    began = time.monotonic()
    codes = training_codes(domain, settings["codes"], settings["num_codes"], run.seed, run.folder / "codes")
    held_out = min(settings["validation_codes"], len(codes) // 4)
    per_epoch = min(settings["steps_per_validation"], settings["steps"])
    epochs = -(-settings["steps"] // per_epoch)
    data = LatentData(
        codes, batch_size=settings["batch_size"], steps_per_epoch=per_epoch, validation=held_out, seed=run.seed
    )
    weights = _weights(domain, settings)
    mappers = []
    for _ in phrases:
        with torch.random.fork_rng(devices=[]):  # a phrase's first weights do not depend on its company
            torch.manual_seed(run.seed)
            mappers.append(new_mapper(settings, domain))
    module = MapperTraining(
        mappers,
        domain,
        codes=codes,
        texts=_texts(domain, phrases),
        weights=weights,
        clip_preprocessing=settings["clip_preprocessing"],
        optimizer=settings["optimizer"],
        total_steps=epochs * per_epoch,
        final_rate=float(settings["final_rate"]),
        titles=phrases,
        preview_codes=codes[len(codes) - held_out :][: run.preview_images],
        learning_rate=settings["learning_rate"],
        seed=run.seed,
    )
    result = train(
        module,
        data,
        run,
        name=f"{CARD.name}/{domain.name}-{domain.tier}",
        identity={**run_identity(domain, settings), "phrases": phrases},
        epochs=epochs,
        preparation_seconds=time.monotonic() - began,
    )
    if not result.finished:
        log.warning("styleclip-mapper: stopped before the end; the same command goes on from %s", result.folder)
    kept: Any = module.trained_network()
    for mapper in kept:  # what is evaluated is exactly what `save` keeps
        round_to(mapper, settings["stored_as"])
        mapper.eval().requires_grad_(False)
    return dict(zip(phrases, kept, strict=True))


@torch.no_grad()
def _texts(domain: Domain, phrases: Sequence[str]) -> torch.Tensor:
    """Raw embeddings [P, d], every phrase encoded alone and without templates."""
    return torch.cat([domain.clip.encode_text([phrase]).float() for phrase in phrases])


def _weights(domain: Domain, settings: Mapping[str, Any]) -> dict[str, float]:
    """Weights of the terms; identity is off where the domain has no network for it."""
    weights = {name: float(settings[f"{name}_weight"]) for name in ("clip", "identity", "latent")}
    if weights["identity"] and not domain.has("identity"):
        log.warning("styleclip-mapper: the identity term is off: %s has no identity network", domain.name)
        weights["identity"] = 0.0
    return weights


def _roles(domain: Domain, settings: Mapping[str, Any]) -> list[str]:
    """The networks that decide what is learnt."""
    wanted = ["generator", "clip"]
    wanted += ["encoder"] if settings["codes"] == "photos" else []
    wanted += ["identity"] if settings["identity_weight"] else []
    return [role for role in wanted if domain.has(role)]
