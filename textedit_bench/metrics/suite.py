"""Compute every per-image metric of a domain, and the features for set metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from textedit_bench.errors import UserError
from textedit_bench.metrics.column import NOT_FINITE, Column, Protocol
from textedit_bench.metrics.images import (
    BATCHES,
    BYTES_PER_PIXEL,
    EVERYTHING,
    ImageBatch,
    LRUCache,
    content_of,
    content_rows,
    of_rows,
    pictures_at_once,
)
from textedit_bench.metrics.sample import Sample, Scorer
from textedit_bench.metrics.scorers import (
    ColourScorer,
    IdentityScorer,
    PerceptualScorer,
    PictureScorer,
    TextScorer,
    TruthScorer,
)
from textedit_bench.metrics.sets import set_protocols
from textedit_bench.metrics.truth import GroundTruth, Renders
from textedit_bench.prompt import Prompt

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.worlds.world import Factors

__all__ = ["Column", "Protocol", "Suite"]


class Suite:
    """The evaluation networks and metrics of one domain.

    A metric is available if the domain has the network it needs; ``protocols`` lists those. Networks are loaded
    when the first batch is scored. Features of photos and inversions are computed once and cached. Bars around the
    picture are cropped before any metric; only the small networks of a world, which were trained on canvases with
    bars, get the canvas.

    Attributes:
        protocols: metric name -> protocol; ``scope`` distinguishes image metrics (`score_batch`) from set
            metrics (computed from `features`).
        perfect: the ground truth of prompts on photos, cached.
        rows: the rows of the canvas that metrics use: those that contain picture.
    """

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        renders = None if domain.world is None else Renders(domain.world)
        self.perfect = GroundTruth(renders)
        self._features: LRUCache[NDArray[np.float32]] = LRUCache(BATCHES)
        families = (PictureScorer, PerceptualScorer, IdentityScorer, TextScorer, TruthScorer)
        self._scorers: list[Scorer] = [*(family(domain) for family in families), ColourScorer(renders)]
        self.protocols: dict[str, Protocol] = {}
        for scorer in self._scorers:
            self.protocols.update(scorer.protocols)
        if domain.has("features"):
            self.protocols.update(set_protocols(domain))
        self.rows = content_rows(domain) if domain.world is None else EVERYTHING
        self.protocols = {name: of_rows(protocol, self.rows) for name, protocol in self.protocols.items()}

    @torch.no_grad()
    def score_batch(
        self,
        *,
        photos: Tensor | ImageBatch,
        inversions: Tensor | ImageBatch,
        edits: Tensor | ImageBatch,
        prompt: Prompt,
        factors: Factors | None,
    ) -> dict[str, Column]:
        """Measure N edits of one prompt with every image metric.

        Args:
            photos: [N, 3, H, W] in [-1, 1]; rounded to 8 bits here, like the other two, unless they are ready.
            inversions: pictures of the photos' codes, same shape.
            edits: same shape; an image with nan or infinite pixels gets state ``nan`` everywhere.
            prompt: the prompt; ``prompt.target`` is the text that edits are compared with.
            factors: the rendered factors of each photo; None if the truth is unknown.

        Returns:
            Metric name -> column of N, for every protocol of scope ``image``.

        Raises:
            ValueError: shapes differ, values outside [-1, 1], non-finite photos or inversions.
            UserError: the prompt asks for an attribute that the world does not have.
        """
        if not photos.shape == inversions.shape == edits.shape:
            shapes = f"{tuple(photos.shape)}, {tuple(inversions.shape)} and {tuple(edits.shape)}"
            raise ValueError(f"photos, inversions and edits must have one shape, got {shapes}")
        if factors is not None and len(factors) != len(photos):
            raise ValueError(f"{len(factors)} factors for {len(photos)} photos")
        if not len(photos):
            raise ValueError("an empty batch has nothing to score")
        device = self._domain.device
        sample = Sample(
            content_of(ImageBatch.of(photos, device), self.rows),
            content_of(ImageBatch.of(inversions, device), self.rows),
            content_of(ImageBatch.of(edits, device), self.rows),
            prompt,
            factors,
            self.perfect(factors, prompt.asked),
        )
        if not (sample.photo.finite.all() and sample.inversion.finite.all()):
            raise ValueError("photos and inversions must be finite")
        broken = (~sample.edit.finite).tolist()
        columns: dict[str, Column] = {}
        for scorer in self._scorers:
            columns.update(scorer.score(sample))
        return {name: column.where(broken, NOT_FINITE) for name, column in columns.items()}

    @torch.no_grad()
    def features(self, images: Tensor | ImageBatch) -> NDArray[np.float32]:
        """Compute features for FID, KID, precision and recall, float32 [N, d].

        Args:
            images: [N, 3, H, W] in [-1, 1]; rounded to 8 bits here, unless they are ready.

        Raises:
            UserError: the domain has no feature network.
            ValueError: an image has nan; exclude such images and count them.
        """
        if not self._domain.has("features"):
            raise UserError(
                f"data set {self._domain.name}, tier {self._domain.tier} has no network for the role 'features'"
            )
        batch = content_of(ImageBatch.of(images, self._domain.device), self.rows)
        if not batch.finite.all():
            raise ValueError(f"{int((~batch.finite).sum())} of {len(batch)} images hold nan or infinite pixels")
        return self._features(batch.keys, lambda: self._features_of(batch))

    def _features_of(self, batch: ImageBatch) -> NDArray[np.float32]:
        network = self._domain.network("features")
        size = pictures_at_once(batch.shape, BYTES_PER_PIXEL)
        return torch.cat([network(part).float() for part in batch.images.split(size)]).cpu().numpy()
