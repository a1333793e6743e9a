"""Score generated pictures: agreement with the text, ground truth if known, and variety."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from textedit_bench.bench.pictures import Pixels, to_images
from textedit_bench.bench.shards import pass_size
from textedit_bench.metrics.column import NO_TRUTH, Column, Protocol, protocol_id
from textedit_bench.metrics.images import of_rows
from textedit_bench.models.roles import verifies
from textedit_bench.prompt import Prompt

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.metrics.suite import Suite


_CHUNK = 32


def pair_distances(images: Tensor, distance: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Compute the mean distance of each picture to the others, float64 [N]; nan for a single one.

    Args:
        images: [N, ...], of any layout.
        distance: (a, b) pictures [B, ...] -> [B] or [B, 1, 1, 1], symmetric.
    """
    n = len(images)
    first, second = torch.triu_indices(n, n, offset=1)
    between = torch.zeros(n, n, dtype=torch.float64)
    for a, b in zip(first.split(_CHUNK), second.split(_CHUNK), strict=True):
        between[a, b] = distance(images[a], images[b]).flatten().double().cpu()
    return (between + between.T).sum(1) / (n - 1) if n > 1 else torch.full((n,), torch.nan, dtype=torch.float64)


def taken_for_another(embeddings: Tensor, threshold: float) -> Tensor:
    """Compute the share of other pictures verified as the same subject, float64 [N]; nan for a single one.

    Args:
        embeddings: unit vectors [N, d].
        threshold: cosine at and above which two pictures count as one subject.
    """
    n = len(embeddings)
    if n < 2:
        return torch.full((n,), torch.nan, dtype=torch.float64)
    vectors = embeddings.double().cpu()
    same = (vectors @ vectors.T >= threshold).double().fill_diagonal_(0.0)
    same[vectors.isnan().any(1)] = torch.nan
    return same.sum(1) / (n - 1)


OF_THE_TEXT = ("r_precision", "reciprocal_rank", "clip_score", "clip_score_in_loop")
"""Metrics of edits that do not need a source picture."""


class GenerationJudges:
    """The evaluation networks of one domain, for pictures without a source photo.

    Attributes:
        protocols: metric name -> protocol: the text metrics of edits, ``success`` (an oracle detects every
            requested value), ``pair_distance`` and ``same_subject`` (each picture against the others of its text),
            and the set metrics against real images.
    """

    def __init__(self, domain: Domain, suite: Suite) -> None:
        self._domain, self._suite = domain, suite
        known = suite.protocols
        self.protocols: dict[str, Protocol] = {name: known[name] for name in OF_THE_TEXT if name in known}
        if domain.world is not None and domain.has("oracle"):
            self.protocols["success"] = self._protocol("generation-success", "oracle", "text", "Success", True)
        if domain.has("perceptual"):
            title = "Distance of pairs" if domain.tier == "full" else f"Distance of pairs (LPIPS-{domain.tier})"
            self.protocols["pair_distance"] = self._protocol("lpips-pairs", "perceptual", "each other", title, True)
        if domain.has("judge_identity") and verifies(domain.network("judge_identity")):
            title = "Pairs taken for one subject"
            same = self._protocol("same-subject", "judge_identity", "each other", title, False)
            self.protocols["same_subject"] = same
        self.protocols |= {name: p for name, p in known.items() if p.scope == "set" and "+ref=real" in p.id}

    def _protocol(self, formula: str, role: str, reference: str, title: str, higher: bool) -> Protocol:
        seen = self._suite.rows
        identity = protocol_id(
            formula,
            network=f"{self._domain.tier}-{role}",
            digest=self._domain.digest(role),
            resize="network",
            reference=reference,
        )
        return of_rows(Protocol(identity, title, higher), seen)

    def to_json(self) -> dict[str, dict[str, Any]]:
        """Return every protocol as plain values."""
        return {name: asdict(protocol) for name, protocol in self.protocols.items()}

    @torch.no_grad()
    def score(self, pixels: Pixels, prompt: Prompt) -> dict[str, Column]:
        """Score the N pictures of one text with every metric of scope ``image``, one network pass at a time.

        Args:
            pixels: 8-bit [N, H, W, 3].
            prompt: the prompt, ground truth included.
        """
        domain, rows, size = self._domain, self._suite.rows, pass_size(self._domain.resolution)
        judge = domain.network("judge_identity") if "same_subject" in self.protocols else None
        verifier = judge if judge is not None and verifies(judge) else None
        parts: list[dict[str, Column]] = []
        vectors: list[Tensor] = []
        for start in range(0, len(pixels), size):
            images = to_images(pixels[start : start + size], domain.device)
            seen = self._suite.score_batch(photos=images, inversions=images, edits=images, prompt=prompt, factors=None)
            parts.append({name: seen[name] for name in OF_THE_TEXT if name in self.protocols})
            if "success" in self.protocols:
                parts[-1]["success"] = self._success(images, prompt)
            if verifier is not None:
                vectors.append(verifier.embed(images[:, :, rows]))
        columns = {name: Column.joined([part[name] for part in parts]) for name in parts[0]}
        if "pair_distance" in self.protocols:
            perceptual = domain.network("perceptual")

            def distance(a: Tensor, b: Tensor) -> Tensor:
                found: Tensor = perceptual(*(to_images(picture.numpy(), domain.device) for picture in (a, b)))
                return found

            columns["pair_distance"] = _pairs(pair_distances(torch.from_numpy(pixels[:, rows]), distance))
        if verifier is not None:
            columns["same_subject"] = _pairs(taken_for_another(torch.cat(vectors), verifier.threshold))
        return columns

    def _success(self, images: Tensor, prompt: Prompt) -> Column:
        if not prompt.asked:
            return Column.without_value(len(images), NO_TRUTH)
        world = self._domain.world
        assert world is not None
        seen = self._domain.network("oracle").predict(images).cpu()
        right = torch.ones(len(images), dtype=torch.bool)
        for name, value in prompt.asked.items():
            position = world.index(name)
            right &= seen[:, position] == list(world.attributes[position].values).index(value)
        return Column.of(right.double())


def _pairs(values: Tensor) -> Column:
    """Compare pictures with others pair by pair; a picture without another has no value."""
    from textedit_bench.metrics.column import NOT_FINITE, OK

    return Column.of(values, [OK if v == v else NOT_FINITE for v in values.tolist()])
