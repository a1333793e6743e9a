"""Pictures drawn from a text alone: how real, how true to the text, how different from each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from textedit_bench.bench.inputs import BATCH, picture_features, reference_images
from textedit_bench.bench.measure import fixed_threads
from textedit_bench.bench.pictures import to_images, to_uint8
from textedit_bench.bench.plan import weights_digest
from textedit_bench.experiments.conditions import Conditions
from textedit_bench.experiments.experiment import Generation
from textedit_bench.experiments.intervals import mean_interval
from textedit_bench.experiments.measured import Heading, Measured
from textedit_bench.info import MethodInfo
from textedit_bench.metrics.frechet import fid
from textedit_bench.metrics.similarity import clip_score
from textedit_bench.metrics.statistics import delete_block_jackknife, interval
from textedit_bench.metrics.suite import Suite
from textedit_bench.prompt import Prompt
from textedit_bench.registry import load_editor
from textedit_bench.seeds import seed_of

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

SETTING = "all prompts"
HEADINGS = {
    "fid_real": Heading("FID, to real", False, 2),
    "clip_score": Heading("CLIP score", True, 2),
    "diversity": Heading("Diversity (perceptual distance between draws)", True, 3),
    "success": Heading("Success", True, 3, percent=True),
}
Values = dict[str, tuple[float, float, float, int]]


def measure_generation(
    part: Generation, domain: Domain, methods: dict[str, MethodInfo | str], conditions: Conditions, seed: int
) -> list[Measured]:
    """One value per method and metric over all evaluation prompts; methods that do not generate say so."""
    rows: list[Measured] = []
    suite = Suite(domain)
    reference = None
    for name, info in methods.items():
        values: Values = {}
        state = info if isinstance(info, str) else ""
        if not isinstance(info, str):
            with fixed_threads(conditions.threads):
                if reference is None and "fid_real" in part.metrics and "fid_real" in suite.protocols:
                    reference = _reference(domain, suite)
                values, state = _method(part, domain, suite, info, reference, seed)
        for metric in part.metrics:
            base = Measured(
                dataset=domain.name,
                method=name,
                title=name if isinstance(info, str) else info.title,
                setting=SETTING,
                metric=metric,
                heading=HEADINGS[metric],
                state=state or ("" if metric in values else "the data set has no judge for it"),
            )
            if metric in values:
                value, low, high, n = values[metric]
                base = Measured(**{**base.__dict__, "value": value, "low": low, "high": high, "n": n})
            rows.append(base)
    return rows


def _reference(domain: Domain, suite: Suite) -> np.ndarray:
    batches = domain.photo_batches("train", reference_images(domain), BATCH)
    return np.concatenate([picture_features(suite, domain, to_uint8(batch.images)) for batch in batches])


def _method(
    part: Generation, domain: Domain, suite: Suite, info: MethodInfo, reference: np.ndarray | None, seed: int
) -> tuple[Values, str]:
    if "generate" not in info.tasks:
        return {}, "does not generate"
    try:
        editor = load_editor(info.name, domain, **info.settings_for(domain.tier))
        if info.trains != "none" and weights_digest(editor) is None:
            command = f"textedit-bench train --method {info.name} --dataset {domain.name}"
            return {}, f"not trained for {domain.name}; run: {command}"
        pictures: dict[str, Tensor] = {}
        prompts = domain.prompts("evaluation")
        for prompt_id, prompt in prompts.items():
            drawn = editor.generate(prompt.without_truth, part.images_per_prompt, seed_of(prompt_id, seed=seed) % 2**31)
            with torch.no_grad():
                make = domain.generator.synthesize if drawn.space == "w+" else domain.generator.synthesize_style
                # Judges see 8-bit pictures, as they do of edits.
                pictures[prompt_id] = to_images(to_uint8(make(drawn.codes, noise="const")), domain.device)
    except Exception as error:  # one method's failure must not end the table
        lines = str(error).strip().splitlines()
        return {}, f"failed: {type(error).__name__}: {lines[0] if lines else ''}"
    return _values(part, domain, suite, prompts, pictures, reference), ""


@torch.no_grad()
def _values(
    part: Generation,
    domain: Domain,
    suite: Suite,
    prompts: dict[str, Prompt],
    pictures: dict[str, Tensor],
    reference: np.ndarray | None,
) -> Values:
    values: Values = {}
    seed = seed_of("generation", dataset=domain.name) % 2**32
    if reference is not None:
        features = np.concatenate([picture_features(suite, domain, to_uint8(p)) for p in pictures.values()])
        blocks = np.repeat(np.arange(len(pictures)), part.images_per_prompt)
        found = delete_block_jackknife(features, blocks, reference, distance=fid)
        values["fid_real"] = (found.value, found.low, found.high, len(features))
    grids: dict[str, np.ndarray] = {}
    if domain.has("judge_clip") and "clip_score" in part.metrics:
        judge = domain.network("judge_clip")
        scores = [
            clip_score(judge.encode_image(p, preprocessing="correct"), judge.encode_text([prompts[i].target])[0])
            for i, p in pictures.items()
        ]
        grids["clip_score"] = torch.stack(scores).cpu().double().numpy()
    if domain.world is not None and domain.has("oracle") and "success" in part.metrics:
        grids["success"] = np.stack([_success(domain, prompts[i], p) for i, p in pictures.items()])
    for name, grid in grids.items():
        bounds = (0.0, 1.0) if name == "success" else None
        values[name] = (
            float(np.nanmean(grid)),
            *interval(grid, seed=seed, bounds=bounds),
            int(np.isfinite(grid).sum()),
        )
    if domain.has("perceptual") and "diversity" in part.metrics:
        per_prompt = [_diversity(domain, p) for p in pictures.values()]
        values["diversity"] = (*mean_interval(per_prompt), len(per_prompt))
    return {name: value for name, value in values.items() if name in part.metrics}


def _success(domain: Domain, prompt: Prompt, pictures: Tensor) -> np.ndarray:
    """1 where the oracle sees every asked attribute, 0 elsewhere (abstentions too); nan where none is asked."""
    assert domain.world is not None
    asked = domain.world.value_indices(prompt.asked)
    if not asked:
        return np.full(len(pictures), np.nan)
    seen = domain.network("oracle").predict(pictures).cpu().numpy()
    return np.all([seen[:, column] == value for column, value in asked.items()], axis=0).astype(np.float64)


def _diversity(domain: Domain, pictures: Tensor) -> float:
    """Mean perceptual distance over all pairs of one prompt's draws."""
    first, second = torch.triu_indices(len(pictures), len(pictures), 1)
    network = domain.network("perceptual")
    if hasattr(network, "stages"):  # every picture is looked at once
        distance = network.compare(network.stages(pictures[first]), network.stages(pictures[second]))
    else:
        distance = network(pictures[first], pictures[second])
    return float(distance.double().mean())
