"""A linear support vector machine between two groups of codes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_ITERATIONS = 200


@dataclass(frozen=True)
class Boundary:
    """A hyperplane of W.

    Attributes:
        normal: unit vector [w_dim], towards the positive group.
        distance: how far apart the groups' means are along the normal, in units of W.
    """

    normal: Tensor
    distance: float


def separate(positive: Tensor, negative: Tensor, penalty: float = 1.0) -> Boundary:
    """The boundary of a linear support vector machine with squared hinge loss.

    Minimises ``|v|^2 / 2 + penalty * sum(max(0, 1 - y (v x + b))^2)`` over codes that are centred and scaled by ONE
    number, so that the normal keeps its direction in W. The problem is convex; it is solved in double precision from
    zero, without randomness.

    Args:
        positive: codes [N, w_dim] of one side.
        negative: codes [M, w_dim] of the other.
        penalty: weight of the misfit against the margin; above 0.

    Raises:
        ValueError: a group is empty, or the codes are all the same.

    Source: Shen et al. 2020, sec. 3.1 (linear SVM; the squared hinge and L-BFGS are ours).
    """
    if not len(positive) or not len(negative):
        raise ValueError("a boundary needs codes on both sides")
    codes = torch.cat([positive, negative]).detach().double().cpu()
    signs = torch.cat([torch.ones(len(positive)), -torch.ones(len(negative))]).double()
    centred = codes - codes.mean(0)
    scale = centred.square().sum(1).mean().sqrt()
    if not scale > 0:
        raise ValueError("a boundary needs codes that differ")
    normal = _solve(centred / scale, signs, penalty)
    norm = normal.norm()
    # Where nothing separates the groups the solution is zero, and the line between their means is as good as any.
    means = positive.detach().double().cpu().mean(0) - negative.detach().double().cpu().mean(0)
    unit = normal / norm if norm > 0 else means / means.norm().clamp(min=1e-12)
    return Boundary(unit.to(positive), float(means @ unit))


def _solve(codes: Tensor, signs: Tensor, penalty: float) -> Tensor:
    """Weights [w_dim] of the machine; the offset is fitted with them and left out."""
    with torch.inference_mode(False), torch.enable_grad():
        codes, signs = codes.clone(), signs.clone()
        solution = torch.zeros(codes.shape[1] + 1, dtype=torch.float64, requires_grad=True)
        solver = torch.optim.LBFGS(
            [solution], max_iter=_ITERATIONS, tolerance_grad=1e-9, tolerance_change=1e-12, line_search_fn="strong_wolfe"
        )

        def loss() -> Tensor:
            solver.zero_grad()
            margins = signs * (codes @ solution[:-1] + solution[-1])
            value = solution[:-1].square().sum() / 2 + penalty * (1 - margins).clamp(min=0).square().sum()
            value.backward()
            return value

        solver.step(loss)
    return solution.detach()[:-1]
