"""Metrics of a set of images relative to a reference set, by name, computed from features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from textedit_bench.errors import unknown_choice
from textedit_bench.metrics.column import Protocol, protocol_id
from textedit_bench.metrics.frechet import fid
from textedit_bench.metrics.kid import EXACT_ROWS, kid, kid_of_subsets
from textedit_bench.metrics.precision_recall import precision, recall

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

Features = NDArray[np.floating]
Sources = NDArray[np.generic]
Distance = Callable[[Features, Features, Sources | None, Sources | None], float]
"""(edits [N, d], reference [M, d], source photo of every edit [N], of every reference row [M]) -> value. Sources are
None if every edit has one of its own, or the reference is an independent set."""
FEW = 2048
"""Number of images below which a Frechet distance is unreliable: its bias decreases as one over their number."""
Reference = Literal["real", "inversion", "source"]


@dataclass(frozen=True)
class SetMetric:
    """A formula and the reference of the edits.

    Attributes:
        formula: name of the formula in protocol ids.
        compute: from the features of both sides.
        reference: ``real`` (the domain's reference images), ``inversion`` or ``source`` (of the edited images).
        title: title of the metric in tables.
        higher_is_better: the direction of the arrow.
        decimals: digits after the point.
        version: increased manually when the computation changes.
    """

    formula: str
    compute: Distance
    reference: Reference
    title: str
    higher_is_better: bool
    decimals: int
    version: int = 1


def _of_features(formula: Callable[[Features, Features], float]) -> Distance:
    """Wrap a formula that does not use the sources of edits."""
    return lambda edits, reference, _sources, _reference_sources: formula(edits, reference)


def _kid_thousand(
    edits: Features, reference: Features, sources: Sources | None, reference_sources: Sources | None
) -> float:
    return 1000.0 * kid(edits, reference, sources=sources, reference_sources=reference_sources)


def of_subsets(
    distance: Distance,
    edits: Features,
    reference: Features,
    sources: Sources,
    reference_sources: Sources | None,
    rows: NDArray[np.bool_],
    reference_rows: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Compute a distance for several parts of the rows, given as masks [parts, n] and [parts, m]."""
    if distance is _kid_thousand and max(len(edits), len(reference)) <= EXACT_ROWS:
        origins = {"sources": sources, "reference_sources": reference_sources}
        return 1000.0 * kid_of_subsets(edits, reference, rows, reference_rows, **origins)
    return np.array(
        [
            distance(edits[r], reference[q], sources[r], None if reference_sources is None else reference_sources[q])
            for r, q in zip(rows, reference_rows, strict=True)
        ]
    )


SET_METRICS: dict[str, SetMetric] = {
    "fid_real": SetMetric("fid", _of_features(fid), "real", "FID, to real", False, 2),
    "fid_inversion": SetMetric("fid", _of_features(fid), "inversion", "FID, to inversion", False, 2),
    "fid_source": SetMetric("fid", _of_features(fid), "source", "FID, to source", False, 2),
    "kid_real": SetMetric("kid-x1000", _kid_thousand, "real", "KID x1000, to real", False, 2, 2),
    "kid_inversion": SetMetric("kid-x1000", _kid_thousand, "inversion", "KID x1000, to inversion", False, 2, 2),
    "precision": SetMetric("precision-k3", _of_features(precision), "real", "Precision", True, 3),
    "recall": SetMetric("recall-k3", _of_features(recall), "real", "Recall", True, 3),
}


def set_metric(
    name: str,
    edits: Features,
    reference: Features,
    sources: Sources | None = None,
    reference_sources: Sources | None = None,
) -> float:
    """Compute one set metric by name.

    Args:
        name: a key of `SET_METRICS`.
        edits: features of the edits [N, d].
        reference: features of the reference set that the metric names [M, d].
        sources: source photo of every edit [N]; None if every edit has one of its own.
        reference_sources: source photo of every reference row [M]; None for an independent reference set.

    Raises:
        UserError: an unknown name.
        ValueError: features for which the distance is undefined.
    """
    if name not in SET_METRICS:
        raise unknown_choice("set metric", name, SET_METRICS)
    return SET_METRICS[name].compute(edits, reference, sources, reference_sources)


def set_protocols(domain: Domain) -> dict[str, Protocol]:
    """Return the protocols of the set metrics on a domain's feature network; `Protocol.with_counts` adds counts."""
    network, digest = f"{domain.tier}-features", domain.digest("features")
    found = {}
    for name, metric in SET_METRICS.items():
        identity = protocol_id(
            metric.formula,
            network=network,
            digest=digest,
            resize="network",
            reference=metric.reference,
            version=metric.version,
        )
        found[name] = Protocol(identity, metric.title, metric.higher_is_better, "set", decimals=metric.decimals)
    return found
