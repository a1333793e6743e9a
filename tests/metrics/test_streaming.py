"""Streamed and merged metrics equal the single pass; statistics files round-trip and read foreign ones."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from textedit_bench.errors import UserError
from textedit_bench.metrics.frechet import fid
from textedit_bench.metrics.kid import kid
from textedit_bench.metrics.precision_recall import precision, recall
from textedit_bench.metrics.statistics_file import SetStatistics, load_statistics
from textedit_bench.metrics.streaming import FrechetDistance, KernelDistance, PrecisionRecall

EDITS = torch.randn(50, 6, generator=torch.Generator().manual_seed(0))
REFERENCE = torch.randn(70, 6, generator=torch.Generator().manual_seed(1)) + 0.3
CUTS = ([7, 30, 13], [1, 2, 67])


def _shards(make):  # type: ignore[no-untyped-def]
    metrics = [make() for _ in range(3)]
    for rows, cuts, reference in ((EDITS, CUTS[0], False), (REFERENCE, CUTS[1], True)):
        for metric, part in zip(metrics, rows.split(cuts), strict=True):
            metric.update(part, reference=reference)
    return metrics


def test_three_uneven_shards_equal_one_pass_to_1e_10() -> None:
    one = FrechetDistance(6)
    one.update(EDITS, reference=False)
    one.update(REFERENCE, reference=True)
    for order in ((0, 1, 2), (2, 0, 1)):
        shards = _shards(lambda: FrechetDistance(6))
        merged = shards[order[0]]
        merged.merge_state(shards[order[1]])
        merged.merge_state(shards[order[2]])
        assert merged.compute().dtype == torch.float64
        assert merged.compute().item() == pytest.approx(one.compute().item(), rel=1e-10)
    assert one.compute().item() == pytest.approx(fid(EDITS, REFERENCE), rel=1e-10)


def test_distributed_reduction_equals_one_pass() -> None:
    shards = _shards(lambda: FrechetDistance(6))
    first = shards[0]
    gathered = {"edits": [s.edits for s in shards], "reference": [s.reference for s in shards]}
    calls = iter(gathered.values())
    first._sync_dist(dist_sync_fn=lambda state, group: next(calls))
    assert first.compute().item() == pytest.approx(fid(EDITS, REFERENCE), rel=1e-10)


def test_kid_and_precision_recall_from_shards() -> None:
    merged, *rest = _shards(KernelDistance)
    for shard in rest:
        merged.merge_state(shard)
    assert merged.compute().item() == pytest.approx(kid(EDITS, REFERENCE), rel=1e-10)
    merged, *rest = _shards(PrecisionRecall)
    for shard in rest:
        merged.merge_state(shard)
    found = merged.compute()
    assert found["precision"].item() == precision(EDITS, REFERENCE)
    assert found["recall"].item() == recall(EDITS, REFERENCE)


def test_reference_can_outlive_a_reset_and_a_pickle() -> None:
    metric = FrechetDistance(6, keep_reference=True)
    metric.update(REFERENCE, reference=True)
    metric.update(EDITS[:20], reference=False)
    metric.reset()
    metric = pickle.loads(pickle.dumps(metric))
    metric.update(EDITS, reference=False)
    assert metric.compute().item() == pytest.approx(fid(EDITS, REFERENCE), rel=1e-10)


def test_wrong_features_are_refused() -> None:
    metric = FrechetDistance(6)
    with pytest.raises(ValueError, match=r"\[n, 6\]"):
        metric.update(EDITS[:, :5], reference=True)
    with pytest.raises(ValueError, match="nan"):
        metric.update(EDITS * float("nan"), reference=True)
    metric.update(EDITS[:1], reference=True)
    with pytest.raises(ValueError, match="at least 2 images"):
        metric.compute()
    with pytest.raises(ValueError, match="reference"):
        empty = KernelDistance()
        empty.update(EDITS, reference=False)
        empty.compute()
    with pytest.raises(TypeError, match="no value per batch"):
        metric(EDITS, reference=False)
    with pytest.raises(ValueError, match="width"):
        FrechetDistance(0)


def _statistics(rows: torch.Tensor, **facts: str) -> SetStatistics:
    given = {"weights_sha256": "ab", "resize": "clean", "source": "photos", **facts}
    return SetStatistics.of(rows.numpy(), **given)


def test_statistics_round_trip(tmp_path: Path) -> None:
    stored = _statistics(REFERENCE)
    stored.save(tmp_path / "reference.npz")
    read = load_statistics(tmp_path / "reference.npz")
    assert (read.n, read.weights_sha256, read.resize, read.source) == (70, "ab", "clean", "photos")
    np.testing.assert_array_equal(read.sigma, stored.sigma)
    np.testing.assert_array_equal(read.features, REFERENCE.numpy())
    assert read.distance(_statistics(EDITS)) == pytest.approx(fid(EDITS, REFERENCE), rel=1e-9)
    assert [p.name for p in tmp_path.iterdir()] == ["reference.npz"]


def test_files_of_other_packages_are_read(tmp_path: Path) -> None:
    rows = REFERENCE.double().numpy()
    np.savez(tmp_path / "fid.npz", mu=rows.mean(0), sigma=np.cov(rows.T))
    np.savez(tmp_path / "kid.npz", feats=rows)
    for name in ("fid", "kid"):
        read = load_statistics(tmp_path / f"{name}.npz")
        assert read.distance(_statistics(EDITS)) == pytest.approx(fid(EDITS, REFERENCE), rel=1e-6)
        assert read.weights_sha256 == ""


def test_statistics_of_different_protocols_are_not_compared() -> None:
    for change in ({"weights_sha256": "cd"}, {"resize": "torchfidelity"}):
        with pytest.raises(ValueError, match=next(iter(change))):
            _statistics(REFERENCE).distance(_statistics(EDITS, **change))


def test_broken_files_are_user_errors(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("hello")
    np.savez(tmp_path / "other.npz", weights=np.zeros(3))
    np.savez(tmp_path / "shape.npz", mu=np.zeros(3), sigma=np.zeros((2, 2)))
    np.savez(tmp_path / "pickle.npz", mu=np.array([{}], dtype=object), sigma=np.zeros((1, 1)))
    for name, said in (("text", "cannot be read"), ("other", "weights"), ("shape", "no mean"), ("pickle", "cannot be")):
        with pytest.raises(UserError, match=said):
            load_statistics(tmp_path / f"{name}.npz")
    with pytest.raises(UserError, match="missing"):
        load_statistics(tmp_path / "missing.npz")
