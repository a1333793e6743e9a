"""Path length, DCI and sparse classifiers against cases whose answer is known without them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.spatial import geometric_slerp
from scipy.stats import entropy

from textedit_workshop.worlds.measures.dci import completeness, dci, disentanglement
from textedit_workshop.worlds.measures.path_length import path_lengths, slerp, trimmed_mean
from textedit_workshop.worlds.measures.sparse import fit_sparse


def squared(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return (a - b).square().sum(1)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def stream() -> torch.Generator:
    return torch.Generator().manual_seed(9)


def test_slerp_agrees_with_scipys_on_every_place_of_the_arc():
    a, b = normal(5, 7), normal(5, 7, seed=1)
    for t in (0.0, 0.2, 0.5, 1.0):
        ours = slerp(a, b, torch.full((5, 1), t, dtype=torch.float64))
        for row in range(5):
            ends = [np.asarray(x[row] / x[row].norm()) for x in (a, b)]
            np.testing.assert_allclose(ours[row], geometric_slerp(*ends, t), atol=1e-12)


def test_on_straight_lines_of_a_linear_generator_the_path_length_is_the_squared_length_of_the_whole_way():
    a, b, matrix = normal(6, 4), normal(6, 4, seed=1), normal(4, 9, seed=2)
    values = path_lengths(lambda w: w @ matrix, squared, torch.lerp, (a, b), stream(), batch_size=4)
    torch.testing.assert_close(values, ((b - a) @ matrix).square().sum(1), rtol=1e-6, atol=0)


def test_on_arcs_seen_as_they_are_the_path_length_is_the_squared_angle():
    a, b = normal(6, 5), normal(6, 5, seed=1)
    cosines = (a * b).sum(1) / a.norm(dim=1) / b.norm(dim=1)
    values = path_lengths(lambda z: z, squared, slerp, (a, b), stream())
    torch.testing.assert_close(values, cosines.acos().square(), rtol=1e-6, atol=0)


def test_a_stair_of_the_same_height_is_as_many_times_longer_as_it_is_steeper():
    # From 0 to 1 on one ramp of width h: the slope is 1 / h on a share h of the way, so the mean square is 1 / h.
    ends = (torch.zeros(20_000, 1, dtype=torch.float64), torch.ones(20_000, 1, dtype=torch.float64))

    def mean(width: float) -> float:
        def ramp(x: torch.Tensor) -> torch.Tensor:
            return ((x - 0.5) / width + 0.5).clamp(0.0, 1.0)

        return float(path_lengths(ramp, squared, torch.lerp, ends, stream(), batch_size=20_000).mean())

    assert mean(1.0) == pytest.approx(1.0, rel=1e-3)
    assert mean(0.1) == pytest.approx(10.0, rel=0.1)


def test_the_mean_leaves_out_what_lies_beyond_the_percentiles_as_numpy_finds_them():
    values = normal(1234).exp()
    array = values.numpy()
    low, high = np.percentile(array, 1, method="lower"), np.percentile(array, 99, method="higher")
    assert trimmed_mean(values) == pytest.approx(np.extract((low <= array) & (array <= high), array).mean())
    assert trimmed_mean(torch.cat([torch.ones(990), torch.full((5,), 1e6)])) == pytest.approx(1.0)


def test_one_number_per_factor_scores_one_and_an_even_spread_scores_zero():
    assert disentanglement(torch.eye(4).double()) == pytest.approx(1.0)
    assert completeness(torch.eye(4).double()) == pytest.approx(1.0)
    assert disentanglement(torch.ones(5, 4).double()) == pytest.approx(0.0, abs=1e-12)
    assert completeness(torch.ones(5, 4).double()) == pytest.approx(0.0, abs=1e-12)


def test_numbers_for_one_factor_each_may_still_leave_factors_in_many_pieces():
    importance = torch.eye(2).repeat_interleave(8, 0).double()
    assert disentanglement(importance) == pytest.approx(1.0)
    assert completeness(importance) == pytest.approx(1.0 - np.log(8) / np.log(16))


@given(st.integers(0, 1000), st.integers(2, 7), st.integers(2, 7))
def test_both_scores_are_the_papers_sums_with_scipys_entropy(seed, codes, factors):
    r = normal(codes, factors, seed=seed).abs().numpy()
    r[0] = 0.0  # a number that nothing needs weighs nothing
    weights = r.sum(1) / r.sum()
    purity = [0.0] + [1.0 - entropy(row, base=factors) for row in r[1:]]
    assert disentanglement(torch.from_numpy(r)) == pytest.approx(float(weights @ purity), abs=1e-9)
    columns = [1.0 - entropy(column, base=codes) for column in r.T]
    assert completeness(torch.from_numpy(r)) == pytest.approx(float(np.mean(columns)), abs=1e-9)


def test_codes_that_are_the_factors_score_near_one_and_rotated_ones_say_as_much_less_plainly():
    factors = normal(2000, 6)
    plain = dci(factors, factors > 0)
    turned = dci(factors @ torch.linalg.qr(normal(6, 6, seed=3))[0], factors > 0)
    silent = dci(normal(2000, 6, seed=4), factors > 0)
    assert min(plain) > 0.95
    assert max(turned.disentanglement, turned.completeness) < 0.6
    assert turned.informativeness > 0.9
    assert silent.informativeness == pytest.approx(0.5, abs=0.05)


def test_sparse_weights_meet_the_conditions_of_the_optimum():
    codes, penalty = normal(400, 8), 0.05
    targets = torch.stack([codes[:, 0] + 0.3 * normal(400, seed=1) > 0, codes[:, 1] - codes[:, 2] > 0.2], 1)
    found = fit_sparse(codes, targets, penalty, iterations=2000)
    error = found.scores(codes).sigmoid() - targets.double()
    slope = codes.T @ error / len(codes)
    used = found.weights != 0
    assert 0 < int(used.sum()) < used.numel()
    torch.testing.assert_close(slope[used], -penalty * found.weights.sign()[used], atol=1e-6, rtol=0)
    assert float(slope[~used].abs().max()) <= penalty
    assert float(error.mean(0).abs().max()) < 1e-6


def test_sparse_classifiers_reach_the_loss_that_scipy_finds():
    codes, penalty = normal(300, 4), 0.02
    target = codes[:, 0] + 0.5 * normal(300, seed=1) > 0.3
    sign = np.where(target, 1.0, -1.0)

    def loss(halves: np.ndarray) -> float:  # weights as a difference of two positive parts make the penalty smooth
        margins = sign * (codes.numpy() @ (halves[:4] - halves[4:8]) + halves[8])
        return float(np.logaddexp(0.0, -margins).mean() + penalty * halves[:8].sum())

    best = minimize(loss, np.zeros(9), method="L-BFGS-B", bounds=[(0, None)] * 8 + [(None, None)], tol=1e-12)
    found = fit_sparse(codes, target[:, None], penalty, iterations=1000)
    w = found.weights[:, 0].numpy()
    ours = loss(np.concatenate([w.clip(min=0), (-w).clip(min=0), found.offsets.numpy()]))
    assert ours == pytest.approx(best.fun, abs=1e-7)
