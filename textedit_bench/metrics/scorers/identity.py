"""Identity preservation: cosine of embeddings, and the change of the subject's geometry: face width, eye spacing, ...

The cosine is that of the evaluation network, and of the one that methods may optimise. The renderer knows the geometry
of its photos; for an edit it is predicted by a linear map from the evaluation network's identity embedding, fitted to
photos of the training split. Only factors are used of which the map explains at least half of the variance on held-out
photos.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from textedit_bench.metrics.column import (
    NO_FACE_EDIT,
    NO_FACE_SOURCE,
    NO_THRESHOLD,
    NO_TRUTH,
    Column,
    Protocol,
    protocol_id,
)
from textedit_bench.metrics.images import BYTES_PER_PIXEL, ImageBatch, ImageFeatures, pictures_at_once
from textedit_bench.metrics.sample import Sample
from textedit_bench.metrics.similarity import cosine
from textedit_bench.models.roles import AlignedIdentity, IdentityRole, finds_landmarks, verifies

if TYPE_CHECKING:
    from textedit_bench.domain import Domain


PHOTOS = 768
"""Photos of the training split: three quarters fit the map, a quarter selects the factors."""
RIDGE = 1.0
READ = 0.5
"""Minimum share of a factor's variance that the map must explain on held-out photos."""


@dataclass(frozen=True)
class GeometryReadout:
    """Linear map from embeddings to identity factors.

    Attributes:
        weight: float64 [d, F], for standardised embeddings; F factors that are predicted well enough.
        centre: mean embedding [d].
        scale: standard deviation per feature [d].
        spread: standard deviation of each kept factor among the photos [F].
        explained: held-out share of variance of every factor, kept or not [all factors].
    """

    weight: Tensor
    centre: Tensor
    scale: Tensor
    spread: Tensor
    explained: Tensor

    @classmethod
    def fit(cls, embeddings: Tensor, factors: Tensor) -> GeometryReadout:
        """Fit a ridge regression of factors [n, I] on embeddings [n, d]; the last quarter of the rows is held out."""
        x, y = embeddings.double(), factors.double()
        held = len(x) * 3 // 4
        centre, scale = x[:held].mean(0), x[:held].std(0).clamp(min=1e-9)
        rows = (x - centre) / scale
        offset = y[:held].mean(0)
        gram = rows[:held].T @ rows[:held] + RIDGE * torch.eye(x.shape[1], dtype=torch.float64)
        weight = torch.linalg.solve(gram, rows[:held].T @ (y[:held] - offset))
        left = (rows[held:] @ weight + offset - y[held:]).square().sum(0)
        total = (y[held:] - y[held:].mean(0)).square().sum(0)
        explained = 1.0 - left / total.clamp(min=1e-12)
        kept = explained >= READ
        return cls(weight[:, kept], centre, scale, y.std(0)[kept].clamp(min=1e-9), explained)

    def drift(self, edit: Tensor, source: Tensor) -> Tensor:
        """Compute the RMS step of the factors between embeddings [N, d], in standard deviations of each factor."""
        step = (edit.double() - source.double()) / self.scale @ self.weight / self.spread
        return step.square().mean(1).sqrt()


def fit_readout(domain: Domain, role: IdentityRole) -> GeometryReadout | None:
    """Fit the map for a domain's identity network; None if the factors of its photos are unknown."""
    total = domain.tier_card.splits.get("train", 0)
    if domain.world is None or total < 8:
        return None
    photos = domain.photos("train", min(PHOTOS, total))
    if photos.factors is None:
        return None
    embed = domain.network(role).embed
    size = pictures_at_once(photos.images.shape, BYTES_PER_PIXEL)
    rows = torch.cat([embed(part).cpu() for part in photos.images.split(size)])
    return GeometryReadout.fit(rows, photos.factors.identity)


JUDGE: IdentityRole = "judge_identity"

# metric -> (role, compared with, title, in the loop)
_COSINES: dict[str, tuple[IdentityRole, str, str, bool]] = {
    "identity": (JUDGE, "photo", "Identity", False),
    "identity_inversion": (JUDGE, "inversion", "Identity, to inversion", False),
    "identity_in_loop": ("identity", "photo", "Identity (in loop)", True),
}
OF_SUBJECTS = "Subject similarity"
"""Replacement of "identity" in titles for real animals, things or places, where the evaluating network is
self-supervised, never one for faces."""


class IdentityScorer:
    """Embedding networks with ``embed(images)`` -> [B, d]; a row of nan means that no face was found."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self._readout: GeometryReadout | None = None
        self.protocols: dict[str, Protocol] = {}
        self._features: dict[IdentityRole, ImageFeatures] = {}
        self._points: dict[IdentityRole, ImageFeatures] = {}
        self._faces: dict[IdentityRole, ImageFeatures] = {}
        for name, (role, reference, title, in_loop) in _COSINES.items():
            if not domain.has(role):
                continue
            if domain.world is None and domain.card.kind != "face":
                title = title.replace("Identity", OF_SUBJECTS)
            self.protocols[name] = _protocol(domain, role, "identity", reference, title, in_loop=in_loop)
            if role not in self._features:
                self._features[role] = ImageFeatures(partial(_embed, domain, role))
        if domain.has(JUDGE):
            self.protocols["identity_verified"] = _protocol(domain, JUDGE, "verified", "photo", "Same person")
            if domain.world is not None:
                self.protocols["geometry_drift"] = _protocol(
                    domain, JUDGE, "geometry-drift", "inversion", "Geometry drift", higher=False
                )

    def score(self, sample: Sample) -> dict[str, Column]:
        """Return the columns of `protocols`.

        ``identity_verified`` is a rate at the network's threshold; an edit without a face counts as not verified.
        """
        rows: dict[IdentityRole, dict[str, Tensor]] = {}
        for role, features in self._features.items():
            network = self._domain.network(role)
            if finds_landmarks(network):
                rows[role] = self._in_the_frame_of_the_photo(role, network, sample)
            else:
                rows[role] = {
                    "photo": features(sample.photo, keep=True),
                    "inversion": features(sample.inversion, keep=True),
                    "edit": features(sample.edit, keep=False),
                }
        columns = {}
        for name, (role, reference, *_) in _COSINES.items():
            if name in self.protocols:
                source, edit = rows[role][reference], rows[role]["edit"]
                columns[name] = _faces(Column.of(cosine(edit, source)), source, edit)
        if "identity_verified" in self.protocols:
            columns["identity_verified"] = self._verified(rows[JUDGE])
        if "geometry_drift" in self.protocols:
            columns["geometry_drift"] = self._drift(rows[JUDGE])
        return columns

    def _in_the_frame_of_the_photo(
        self, role: IdentityRole, network: AlignedIdentity, sample: Sample
    ) -> dict[str, Tensor]:
        """Align everything by the photo's landmarks, found once; no face (nan) where an edit shows none."""
        if role not in self._points:
            self._points[role], self._faces[role] = ImageFeatures(network.landmarks), ImageFeatures(network.shows_face)
        points = self._points[role](sample.photo, keep=True)

        def aligned(batch: ImageBatch, *, keep: bool) -> Tensor:
            # One picture with two photos gives two faces.
            keys = tuple(own + photo for own, photo in zip(batch.keys, sample.photo.keys, strict=True))
            return self._features[role](replace(batch, keys=keys), keep=keep, beside=points)

        photo, inversion = aligned(sample.photo, keep=True), aligned(sample.inversion, keep=True)
        edit = aligned(sample.edit, keep=False)
        unchanged = torch.tensor([a == b for a, b in zip(sample.edit.keys, sample.photo.keys, strict=True)])
        shown = unchanged | self._faces[role](sample.edit, keep=False)
        edit = torch.where(shown[:, None], edit, torch.full_like(edit, float("nan")))
        return {"photo": photo, "inversion": inversion, "edit": edit}

    def _verified(self, rows: dict[str, Tensor]) -> Column:
        judge = self._domain.network(JUDGE)
        if not verifies(judge):
            return Column.without_value(len(rows["edit"]), NO_THRESHOLD)
        # A comparison with nan is False: no face in the edit, not verified.
        same = cosine(rows["edit"], rows["photo"]) >= judge.threshold
        return Column.of(same.double()).where(rows["photo"].isnan().any(1).tolist(), NO_FACE_SOURCE)

    def _drift(self, rows: dict[str, Tensor]) -> Column:
        if self._readout is None:
            self._readout = fit_readout(self._domain, JUDGE)
        if self._readout is None or not self._readout.weight.shape[1]:
            return Column.without_value(len(rows["edit"]), NO_TRUTH)
        drift = self._readout.drift(rows["edit"], rows["inversion"])
        return _faces(Column.of(drift), rows["inversion"], rows["edit"])


def _protocol(
    domain: Domain, role: str, formula: str, reference: str, title: str, *, higher: bool = True, in_loop: bool = False
) -> Protocol:
    network, digest = f"{domain.tier}-{role}", domain.digest(role)
    # 2: faces in edits are detected at a reduced size.
    version = 2 if role == JUDGE and domain.world is None and domain.card.kind == "face" else 1
    identity = protocol_id(
        formula, network=network, digest=digest, resize="network", reference=reference, version=version
    )
    return Protocol(identity, title, higher, in_loop=in_loop)


def _faces(column: Column, source: Tensor, edit: Tensor) -> Column:
    """Return the column with the states of images without a face."""
    column = column.where(edit.isnan().any(1).tolist(), NO_FACE_EDIT)
    return column.where(source.isnan().any(1).tolist(), NO_FACE_SOURCE)


@torch.no_grad()
def _embed(domain: Domain, role: IdentityRole, images: Tensor, points: Tensor | None = None) -> Tensor:
    """Embed images, aligned by landmarks if given, one row per image; the network is loaded on first use."""
    network = domain.network(role)
    if finds_landmarks(network):
        return network.embed(images, points)
    return network.embed(images)
