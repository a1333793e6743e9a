"""FID, KID, precision and recall against independent formulas, on full, deficient and degenerate input."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from textedit_bench.errors import UserError
from textedit_bench.metrics import kid as kid_module
from textedit_bench.metrics.frechet import Moments, _cross_from_covariances, _cross_from_rows, fid, frechet_distance
from textedit_bench.metrics.kid import kid
from textedit_bench.metrics.precision_recall import precision, recall
from textedit_bench.metrics.sets import SET_METRICS, set_metric

RNG = np.random.default_rng(0)


def _features(n: int, d: int, shift: float = 0.0) -> np.ndarray:
    mixing = np.random.default_rng(1).normal(size=(d, d)) / d**0.5
    return np.maximum(RNG.normal(size=(n, d)) @ mixing + shift, 0)


def _by_sqrtm(x: np.ndarray, y: np.ndarray) -> float:
    s1, s2 = np.cov(x.T), np.cov(y.T)
    return float(((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(s1 + s2 - 2 * sqrtm(s1 @ s2).real))


@pytest.mark.parametrize(("n", "m", "tolerance"), [(300, 200, 1e-6), (20, 300, 1e-5), (20, 25, 1e-5)])
def test_fid_equals_scipy_matrix_square_root(n: int, m: int, tolerance: float) -> None:
    x, y = _features(n, 32), _features(m, 32, 0.3)
    assert fid(x, y) == pytest.approx(_by_sqrtm(x, y), rel=tolerance, abs=1e-5 if n < 32 else 1e-8)


def test_both_exact_forms_of_the_cross_term_agree() -> None:
    x, y = (torch.from_numpy(_features(n, 32)) for n in (20, 25))
    rows = _cross_from_rows(x - x.mean(0), y - y.mean(0))
    assert rows.item() == pytest.approx(
        _cross_from_covariances(Moments.of(x).covariance, Moments.of(y).covariance).item(), rel=1e-6
    )


@pytest.mark.parametrize(("n", "m"), [(200, 300), (20, 300), (300, 20), (20, 31)])
def test_the_cross_term_is_the_trace_of_the_root_whichever_covariance_is_definite(n: int, m: int) -> None:
    first, second = (Moments.of(torch.from_numpy(_features(k, 32, 0.1))).covariance for k in (n, m))
    expected = np.trace(sqrtm(first.numpy() @ second.numpy()).real)
    assert _cross_from_covariances(first, second).item() == pytest.approx(expected, rel=1e-6)


def test_fid_of_gaussians_is_the_closed_form() -> None:
    # Commuting covariances: |m1 - m2|^2 + sum (s1 - s2)^2 over standard deviations.
    m1, m2, s1, s2 = (RNG.random(6) for _ in range(4))
    expected = ((m1 - m2) ** 2).sum() + ((s1 - s2) ** 2).sum()
    turn = np.linalg.qr(RNG.normal(size=(6, 6)))[0]
    value = frechet_distance(m1, turn @ np.diag(s1**2) @ turn.T, m2, turn @ np.diag(s2**2) @ turn.T)
    assert value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("n", "d"), [(100, 16), (10, 64)])
def test_identical_sets_are_at_distance_zero(n: int, d: int) -> None:
    x = _features(n, d)
    assert 0.0 <= fid(x, x) < 1e-3
    assert fid(x, x[::-1].copy()) < 1e-3


def test_fid_is_symmetric_and_sees_a_mean_shift_exactly() -> None:
    x, y = _features(60, 8), _features(50, 8, 0.2)
    assert fid(x, y) == pytest.approx(fid(y, x), rel=1e-9)
    assert fid(x, x + 0.5) == pytest.approx(8 * 0.25, rel=1e-6)


def test_kid_equals_the_double_sum() -> None:
    x, y = _features(9, 5), _features(7, 5, 0.3)

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return float((a @ b / 5 + 1) ** 3)

    own_x = sum(kernel(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j) / (9 * 8)
    own_y = sum(kernel(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j) / (7 * 6)
    across = sum(kernel(a, b) for a in x for b in y) / (9 * 7)
    assert kid(x, y) == pytest.approx(own_x + own_y - 2 * across, abs=1e-12)


def test_kid_leaves_out_pairs_of_one_source() -> None:
    x, y = _features(9, 5), _features(7, 5, 0.3)
    of, of_reference = np.array(list("aabbbcdde")), np.array(list("abxcyzd"))

    def mean(a: np.ndarray, b: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
        pairs = [(u, v) for u, i in zip(a, first, strict=True) for v, j in zip(b, second, strict=True) if i != j]
        return float(np.mean([(u @ v / 5 + 1) ** 3 for u, v in pairs]))

    expected = mean(x, x, of, of) + mean(y, y, of_reference, of_reference) - 2 * mean(x, y, of, of_reference)
    assert kid(x, y, sources=of, reference_sources=of_reference) == pytest.approx(expected, abs=1e-12)
    apart = np.array([f"real {i}" for i in range(7)])
    assert kid(x, y, sources=of) == pytest.approx(kid(x, y, sources=of, reference_sources=apart), abs=1e-12)
    with pytest.raises(ValueError, match="2 sources"):
        kid(x, y, sources=["a"] * 9)
    with pytest.raises(ValueError, match="one source"):
        kid(x, y, sources=["a"] * 8)


def test_kid_of_edits_of_few_photos_is_that_of_many_photos() -> None:
    # Eight edits of a photo lie near each other: twelve photos, drawn anew each time, against what 96 photos show.
    def edits(photos: int) -> tuple[np.ndarray, np.ndarray]:
        return np.repeat(_features(photos, 6), 8, 0) + 0.3 * _features(8 * photos, 6), np.repeat(np.arange(photos), 8)

    real, found, naive = _features(400, 6), [], []
    for _ in range(60):
        rows, sources = edits(12)
        found.append(kid(rows, real, sources=sources))
        naive.append(kid(rows, real))
    many = kid(edits(500)[0][::8], real)
    assert abs(np.mean(found) - many) < 3 * np.std(found) / 60**0.5 + 0.02
    assert np.mean(naive) - many > 6 * np.std(naive) / 60**0.5


def test_kid_by_subsets_is_seeded_and_estimates_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = _features(400, 8), _features(300, 8, 0.3)
    whole = kid(x, y)
    monkeypatch.setattr(kid_module, "EXACT_ROWS", 100)
    some = kid(x, y, subset_size=100, subsets=200)
    assert some == kid(x, y, subset_size=100, subsets=200) != kid(x, y, subset_size=100, subsets=200, seed=1)
    assert some == pytest.approx(whole, rel=0.1)


def test_kid_of_one_distribution_scatters_around_zero() -> None:
    values = [kid(_features(40, 6), _features(40, 6)) for _ in range(60)]
    assert min(values) < 0 < max(values)
    assert abs(np.mean(values)) < 3 * np.std(values) / 60**0.5


def test_precision_and_recall_equal_brute_force() -> None:
    edits, real = _features(40, 4, 0.2), _features(50, 4)

    def inside(probes: np.ndarray, manifold: np.ndarray) -> float:
        found = 0
        for probe in probes:
            for centre in manifold:
                radius = sorted(np.linalg.norm(manifold - centre, axis=1))[3]
                if np.linalg.norm(probe - centre) <= radius:
                    found += 1
                    break
        return found / len(probes)

    assert precision(edits, real) == inside(edits, real)
    assert recall(edits, real) == inside(real, edits)
    assert precision(real[:10], real) == 1.0


def test_precision_and_recall_are_not_swapped() -> None:
    real = _features(200, 4)
    one_mode = real[:1] + 1e-6 * RNG.normal(size=(50, 4))
    assert precision(one_mode, real) == 1.0
    assert recall(one_mode, real) < 0.1


@pytest.mark.parametrize("metric", [fid, kid, precision, recall])
def test_degenerate_features_give_one_clear_error(metric) -> None:  # type: ignore[no-untyped-def]
    good = _features(10, 4)
    with pytest.raises(ValueError, match="nan or infinity"):
        metric(np.full((10, 4), np.nan), good)
    with pytest.raises(ValueError, match="image"):
        metric(good[:1], good[:1])
    with pytest.raises(ValueError, match=r"width|shape"):
        metric(good, _features(10, 5))
    with pytest.raises(ValueError, match="shape"):
        metric(good[0], good)


def test_set_metrics_by_name() -> None:
    x, y = _features(30, 4), _features(20, 4)
    assert set_metric("fid_real", x, y) == fid(x, y)
    assert set_metric("kid_real", x, y) == 1000 * kid(x, y)
    assert all(np.isfinite(set_metric(name, x, y)) for name in SET_METRICS)
    with pytest.raises(UserError, match="fid_real"):
        set_metric("fid_rel", x, y)


@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_moments_are_those_of_torch(offset: float) -> None:
    rows = torch.from_numpy(np.random.default_rng(3).normal(size=(60, 5)) + offset)
    found = Moments.of(rows)
    assert found.count == 60
    torch.testing.assert_close(found.mean, rows.mean(0), rtol=1e-12, atol=1e-10)
    torch.testing.assert_close(found.covariance, torch.cov(rows.T), rtol=1e-9, atol=1e-9)
