"""Compare FID statistics and distance with torchmetrics and scipy in the same run, and time the bootstrap of a grid.

``python -m textedit_workshop.perf.metrics [--rows 18000] [--width 2048] [--json]``. Features are positive and
correlated, as those of a ReLU network are.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from textedit_bench.metrics.frechet import Moments, distance_of_moments
from textedit_bench.metrics.statistics import two_way_bootstrap

CHUNK = 1000
GOAL = 30.0
"""How many times faster than scipy's general square root the distance has to be at 2048 columns."""
AGREE = 1e-6

Result = TypeVar("Result")


def timed(call: Callable[[], Result]) -> tuple[Result, float]:
    """Return a call's result and its seconds."""
    began = time.perf_counter()
    result = call()
    return result, time.perf_counter() - began


def feature_chunks(rows: int, width: int, seed: int, shift: float = 0.0) -> Iterator[Tensor]:
    """Chunks [<= CHUNK, width] float32 of positive, correlated features; the same on every call."""
    mix = torch.randn(width, width, generator=torch.Generator().manual_seed(7)) / width**0.5
    draw = torch.Generator().manual_seed(seed)
    for start in range(0, rows, CHUNK):
        noise = torch.randn(min(CHUNK, rows - start), width, generator=draw)
        yield (noise @ mix + 0.5 + shift).relu()


def measure_statistics(rows: int, width: int) -> dict[str, Any]:
    """Moments and distance of both sides: ours against torchmetrics', seconds without the making of the features."""
    theirs, their_s = _torchmetrics_fid(width), 0.0
    sides = []
    for seed, shift, reference in ((1, 0.0, True), (2, 0.05, False)):
        chunks = list(feature_chunks(rows, width, seed, shift))
        for chunk in chunks:
            their_s += timed(lambda c=chunk, r=reference: theirs.update(c, real=r))[1]  # type: ignore[misc]
        sides.append(torch.cat(chunks))
    (moments, our_s), (their_value, their_distance_s) = timed(lambda: [*map(Moments.of, sides)]), timed(theirs.compute)
    value, distance_s = timed(lambda: distance_of_moments(*moments))
    return {
        "rows": rows,
        "width": width,
        "statistics_s": our_s,
        "torchmetrics_statistics_s": their_s,
        "distance_s": distance_s,
        "torchmetrics_distance_s": their_distance_s,
        "value": value,
        "torchmetrics_value": float(their_value),
        "moments": moments,
    }


def measure_distance(first: Moments, second: Moments) -> dict[str, Any]:
    """The distance of the same moments: ours against scipy's general matrix square root."""
    from scipy.linalg import sqrtm

    def textbook() -> float:
        a, b = first.covariance.numpy(), second.covariance.numpy()
        root = np.real(sqrtm(a @ b))
        step = (first.mean - second.mean).numpy()
        return float(step @ step + np.trace(a) + np.trace(b) - 2.0 * np.trace(root))

    (ours, ours_s), (theirs, theirs_s) = timed(lambda: distance_of_moments(first, second)), timed(textbook)
    error = abs(ours - theirs) / max(abs(theirs), 1e-12)
    return {"ours_s": ours_s, "scipy_s": theirs_s, "ratio": theirs_s / ours_s, "relative_error": error}


def measure_bootstrap(methods: int = 7, prompts: int = 8, images: int = 24, draws: int = 10_000) -> dict[str, Any]:
    """Intervals of a full grid for one metric, and for every metric of a table."""
    values = np.random.default_rng(0).normal(size=(methods, prompts, images))
    _, seconds = timed(lambda: two_way_bootstrap(values, draws=draws))
    return {"methods": methods, "prompts": prompts, "images": images, "draws": draws, "seconds": seconds}


def _torchmetrics_fid(width: int) -> Any:
    from torchmetrics.image.fid import FrechetInceptionDistance

    class Given(nn.Module):
        """Features are given, not computed; torchmetrics asks for the number of them."""

        num_features = width

        def forward(self, features: Tensor) -> Tensor:
            return features

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return FrechetInceptionDistance(feature=Given(), normalize=False)


def main() -> int:
    """Measure, print, and answer 1 where a goal is missed at full size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=18_000)
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measure_statistics(given.rows, given.width)
    distance = measure_distance(*found.pop("moments"))
    boot = measure_bootstrap()
    report = {"threads": torch.get_num_threads(), "statistics": found, "distance": distance, "bootstrap": boot}
    if given.json:
        print(json.dumps(report, indent=1))
    else:
        print(f"FID, {given.rows} x {given.width} a side, {report['threads']} threads")
        print(
            f"  statistics   ours {found['statistics_s']:.1f} s, "
            f"torchmetrics {found['torchmetrics_statistics_s']:.1f} s"
        )
        print(f"  distance     ours {found['distance_s']:.1f} s, torchmetrics {found['torchmetrics_distance_s']:.1f} s")
        print(f"  values       ours {found['value']:.8g}, torchmetrics {found['torchmetrics_value']:.8g}")
        print(
            f"  square root  ours {distance['ours_s']:.1f} s, scipy {distance['scipy_s']:.1f} s: "
            f"{distance['ratio']:.0f} times faster, values differ by {distance['relative_error']:.1g}"
        )
        print(f"bootstrap of {boot['draws']} resamples, 7 x 8 x 24 cells: {boot['seconds']:.2f} s")
    missed = distance["relative_error"] > AGREE or (given.width >= 2048 and distance["ratio"] < GOAL)
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
