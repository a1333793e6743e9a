"""Set metrics as torchmetrics: fed batch by batch, merged across processes.

torchmetrics' own FID is not used: it casts float64 sums back to float32, takes eigenvalues of a non-symmetric product
and keeps its resize rule to itself. Its KID has no exact form, and precision and recall are missing.
"""

from __future__ import annotations

from typing import Any, NoReturn

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from textedit_bench.metrics.frechet import distance_of_moments
from textedit_bench.metrics.kid import kid
from textedit_bench.metrics.moments import Moments, merge_packed
from textedit_bench.metrics.precision_recall import NEIGHBOURS, precision, recall


class _SetMetric(Metric):
    """A metric of whole sets: it has no value per batch."""

    is_differentiable = False
    full_state_update = False

    def forward(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused: the value of one batch means nothing, and computing it would count a kept reference twice."""
        raise TypeError(f"{type(self).__name__} has no value per batch; call update() and then compute()")


class FrechetDistance(_SetMetric):
    """FID of features fed in batches; the memory is two d x d matrices, whatever the number of images.

    Merging shards, in any order and of any size, gives the single-pass value to 1e-10.

    Args:
        width: number of features d.
        keep_reference: `reset` keeps the reference side, for scoring several edit sets against it.
    """

    higher_is_better = False
    plot_lower_bound = 0.0
    edits: Tensor
    reference: Tensor

    def __init__(self, width: int, keep_reference: bool = False, **options: Any) -> None:
        super().__init__(**options)
        if width < 1:
            raise ValueError(f"width must be at least 1, got {width}")
        self.width, self.keep_reference = width, keep_reference
        self.add_state("edits", Moments.empty(width).pack(), dist_reduce_fx=merge_packed)
        self.add_state("reference", Moments.empty(width).pack(), dist_reduce_fx=merge_packed)

    def update(self, features: Tensor, *, reference: bool) -> None:
        """Add features [n, d] to the edits or to the reference.

        Raises:
            ValueError: another width, nan or infinity.
        """
        if features.ndim != 2 or features.shape[1] != self.width:
            raise ValueError(f"features must have shape [n, {self.width}], got {tuple(features.shape)}")
        if not features.isfinite().all():
            raise ValueError(f"features hold nan or infinity in {int((~features.isfinite()).any(1).sum())} rows")
        if len(features):
            _add(self.reference if reference else self.edits, features.to(self.device).double())

    def compute(self) -> Tensor:
        """The distance, float64 scalar.

        Raises:
            ValueError: fewer than two images on either side.
        """
        edits, reference = (Moments.unpack(state, self.width) for state in (self.edits, self.reference))
        return torch.tensor(distance_of_moments(edits, reference), dtype=torch.float64)

    def reset(self) -> None:
        """Forget the edits, and the reference unless it is kept."""
        kept = self.reference
        super().reset()
        if self.keep_reference:
            self.reference = kept


def _add(packed: Tensor, rows: Tensor) -> None:
    """Add rows [n, d] to packed moments, in place.

    The update is that of `Moments.merge`; its outer product is written as one more row of the matrix product, so that
    the d x d scatter is passed over once.
    """
    n, width = rows.shape
    mean, scatter = packed[1 : 1 + width], packed[1 + width :].view(width, width)
    count, new = packed[0].clone(), rows.mean(0)
    step = new - mean
    weighed = step * (count * n / (count + n)).sqrt()
    stacked = torch.cat([rows - new, weighed[None]])
    scatter.addmm_(stacked.T, stacked)
    mean += step * (n / (count + n))
    packed[0] = count + n


class _FeatureSets(_SetMetric):
    """Keeps both feature sets; what needs every row cannot be streamed in constant memory."""

    edits: list[Tensor]
    reference: list[Tensor]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.add_state("edits", [], dist_reduce_fx="cat")
        self.add_state("reference", [], dist_reduce_fx="cat")

    def update(self, features: Tensor, *, reference: bool) -> None:
        """Add features [n, d] to the edits or to the reference.

        Raises:
            ValueError: not a matrix, nan or infinity.
        """
        if features.ndim != 2 or not features.isfinite().all():
            raise ValueError(f"features must be a finite matrix [n, d], got shape {tuple(features.shape)}")
        (self.reference if reference else self.edits).append(features.to(self.device))

    def _sets(self) -> tuple[Tensor, Tensor]:
        for name in ("edits", "reference"):
            if len(getattr(self, name)) == 0:
                raise ValueError(f"no features of the {name} were given")
        return dim_zero_cat(self.edits), dim_zero_cat(self.reference)


class KernelDistance(_FeatureSets):
    """KID of features fed in batches; see `textedit_bench.metrics.kid.kid`."""

    higher_is_better = False

    def compute(self) -> Tensor:
        """Unbiased squared MMD, float64 scalar; may be negative."""
        return torch.tensor(kid(*self._sets()), dtype=torch.float64)


class PrecisionRecall(_FeatureSets):
    """Improved precision and recall of features fed in batches.

    Args:
        k: neighbour that sets the radius.
    """

    higher_is_better = True

    def __init__(self, k: int = NEIGHBOURS, **options: Any) -> None:
        super().__init__(**options)
        self.k = k

    def compute(self) -> dict[str, Tensor]:
        """``precision`` and ``recall``, float64 scalars in [0, 1]."""
        edits, reference = self._sets()
        found = {"precision": precision(edits, reference, self.k), "recall": recall(edits, reference, self.k)}
        return {name: torch.tensor(value, dtype=torch.float64) for name, value in found.items()}
