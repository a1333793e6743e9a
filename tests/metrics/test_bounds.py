"""What a metric's values can be is stated for every metric, and its intervals keep to it."""

from __future__ import annotations

import numpy as np
import pytest

from textedit_bench.bench.generation.judges import GenerationJudges
from textedit_bench.domain import load_domain
from textedit_bench.metrics import Suite
from textedit_bench.metrics.column import RANGES, SHARE, bounds_of, is_rate
from textedit_bench.report.intervals import image_figures
from textedit_bench.testing.toy import write_toy_dataset

COUNTED = ("success", "preservation", "agree", "verified", "r_precision", "reciprocal_rank", "same_subject", "changed_")


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    domains = [load_domain(write_toy_dataset(tmp_path_factory.mktemp("toy"), judges=True)), load_domain("ffhq", "mini")]
    suites = [Suite(domain) for domain in domains]
    judges = [GenerationJudges(domain, suite) for domain, suite in zip(domains, suites, strict=True)]
    return {n: p for part in (*suites, *judges) for n, p in part.protocols.items() if p.scope == "image"}


def test_every_image_metric_has_bounds_and_what_is_counted_is_a_rate(measured):
    assert len(measured) > 40
    assert [name for name in measured if bounds_of(name) is None] == []
    assert RANGES.keys() - measured.keys() == set()
    assert {name for name in measured if is_rate(name)} == {n for n in measured if any(word in n for word in COUNTED)}


@pytest.mark.parametrize("name", [*RANGES, "changed_hat"])
def test_no_interval_leaves_the_bounds_and_values_alone_make_no_rate(name):
    low, high = bounds_of(name)
    ends = np.array([low if np.isfinite(low) else 0.0, high if np.isfinite(high) else 50.0])
    values = np.random.default_rng(0).choice(ends, size=(1, 3, 4))
    figure = image_figures(values, [True], higher_is_better=True, bounds=(low, high), seed=0)[0]
    assert low <= figure.low <= figure.point <= figure.high <= high
    known = image_figures(np.full((1, 3, 4), ends[0]), [True], higher_is_better=True, bounds=(low, high), seed=0)[0]
    assert (known.low == known.high) is (bounds_of(name) != SHARE)
