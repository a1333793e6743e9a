"""Identity kept by the edit: cosine of embeddings, by the judge and by the network that methods may optimise."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from torch import Tensor

from textedit_bench.metrics.column import NO_FACE_EDIT, NO_FACE_SOURCE, Column
from textedit_bench.metrics.images import ImageFeatures
from textedit_bench.metrics.protocol import Protocol, protocol_id
from textedit_bench.metrics.sample import Sample
from textedit_bench.metrics.similarity import cosine

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

# metric -> (role, compared with, title, in the loop)
_METRICS = {
    "identity": ("judge_identity", "photo", "Identity", False),
    "identity_inversion": ("judge_identity", "inversion", "Identity, to inversion", False),
    "identity_in_loop": ("identity", "photo", "Identity (in loop)", True),
}


class IdentityScorer:
    """Embedding networks with ``embed(images)`` -> [B, d]; a row of nan says that no face was found."""

    def __init__(self, domain: Domain) -> None:
        self.protocols: dict[str, Protocol] = {}
        self._features: dict[str, ImageFeatures] = {}
        for name, (role, reference, title, in_loop) in _METRICS.items():
            if not domain.has(role):
                continue
            identity = protocol_id(
                "identity",
                network=f"{domain.tier}-{role}",
                digest=domain.digest(role),
                resize="network",
                reference=reference,
            )
            self.protocols[name] = Protocol(identity, title, True, in_loop=in_loop)
            if role not in self._features:
                self._features[role] = ImageFeatures(partial(_embed, domain, role))

    def score(self, sample: Sample) -> dict[str, Column]:
        """Columns ``identity``, ``identity_inversion`` and ``identity_in_loop``."""
        rows: dict[str, dict[str, Tensor]] = {}
        for role, features in self._features.items():
            photo = features(sample.photo, keep=True)
            inversion = features(sample.inversion, keep=True)
            rows[role] = {"photo": photo, "inversion": inversion, "edit": features(sample.edit, keep=False)}
        columns = {}
        for name in self.protocols:
            role, reference, *_ = _METRICS[name]
            source, edit = rows[role][reference], rows[role]["edit"]
            column = Column.of(cosine(edit, source))
            column = column.where(edit.isnan().any(1).tolist(), NO_FACE_EDIT)
            columns[name] = column.where(source.isnan().any(1).tolist(), NO_FACE_SOURCE)
        return columns


def _embed(domain: Domain, role: str, images: Tensor) -> Tensor:
    """One row per image; the network is loaded when first needed."""
    rows: Tensor = domain.network(role).embed(images)
    return rows
