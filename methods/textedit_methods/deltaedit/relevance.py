"""Which style channel moves CLIP's image embedding in which direction: StyleCLIP's relevance matrix.

Source: StyleCLIP (arXiv 2103.17249), sec. 6.2: every channel is set to its mean plus and minus five deviations in 100
images; a row is the mean unit difference of their embeddings. DeltaEdit reuses that matrix for its mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from textedit_bench.stylespace.resumable import resumable_sweep
from textedit_bench.stylespace.statistics import Sampling

if TYPE_CHECKING:
    from textedit_bench.domain import Domain


@dataclass(frozen=True)
class SweepSettings:
    """How to sweep.

    Attributes:
        images: base images.
        deviations: how far a channel is pushed, in its standard deviations.
        statistics_samples: codes that mean and deviation are taken from.
        truncation: of those codes and of the base images, in all rows.
        seed: of the codes.
    """

    images: int = 100
    deviations: float = 5.0
    statistics_samples: int = 100_000
    truncation: float = 0.7
    seed: int = 5


def relevance_matrix(domain: Domain, settings: SweepSettings, cache: Path | None = None) -> Tensor:
    """Unit rows [num_styles, d], float32 on the CPU; a channel without any effect has a row of zeros.

    The base images stay as they are from channel to channel. The released script forgets to restore them; its matrix
    is another one.

    Args:
        domain: generator and guiding CLIP.
        settings: how to sweep.
        cache: file in which what is done is kept, so that a killed sweep goes on and a finished one is read.
    """
    sampling = Sampling(samples=settings.statistics_samples, truncation=settings.truncation, seed=settings.seed)
    swept = resumable_sweep(
        domain.generator, domain.clip, sampling, images=settings.images, width=settings.deviations, state=cache
    )
    return swept.rows.cpu()


def relevant(relevance: Tensor, difference: Tensor, threshold: float) -> Tensor:
    """Channels whose relevance for a text difference reaches the threshold, bool [num_styles].

    Args:
        relevance: unit rows [num_styles, d].
        difference: target minus source [d], NOT normalised. In StyleCLIP's terms, whose threshold is meant for the
            unit difference, this one is ``threshold / |difference|``.
        threshold: 0.03 as released.
    """
    return (relevance @ difference).abs() >= threshold
