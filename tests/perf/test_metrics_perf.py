"""The performance run measures what it says; small sizes, since times are not asserted here."""

from __future__ import annotations

import torch

from textedit_bench.metrics.frechet import fid
from textedit_workshop.perf.metrics import feature_chunks, measure_bootstrap, measure_distance, measure_statistics


def test_the_three_ways_agree_on_the_same_features():
    found = measure_statistics(1500, 24)
    reference, edits = (torch.cat(list(feature_chunks(1500, 24, seed, s))) for seed, s in ((1, 0.0), (2, 0.05)))
    assert abs(found["value"] - fid(edits, reference)) < 1e-9
    assert abs(found["torchmetrics_value"] - found["value"]) < 1e-4
    distance = measure_distance(*found["moments"])
    assert distance["relative_error"] < 1e-6


def test_ten_thousand_resamples_of_a_grid_take_seconds():
    assert measure_bootstrap()["seconds"] < 30
