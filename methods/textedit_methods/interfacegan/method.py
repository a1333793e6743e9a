"""InterFaceGAN: a boundary in W per prompt, between samples that the guiding CLIP labels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from textedit_bench.devices import sent
from textedit_bench.editor import Latents
from textedit_bench.offset_editor import OffsetEditor
from textedit_bench.prompt import Prompt
from textedit_bench.typed_editor import once_per_prompt
from textedit_methods.interfacegan.card import CARD, Settings

if TYPE_CHECKING:
    from textedit_bench.training.samples import Samples

_ITERATIONS = 200


@dataclass(frozen=True)
class Boundary:
    """A hyperplane in W.

    Attributes:
        normal: unit vector [w_dim], towards the positive group.
        distance: how far apart the groups' means are along the normal, in units of W.
    """

    normal: Tensor
    distance: float


class InterFaceGAN(OffsetEditor[Settings]):
    """Edited code = code + strength * step * distance * normal, the same for every image and row.

    The normal belongs to the hyperplane that separates the samples which the guiding CLIP finds most like the prompt
    from those it finds least like it. Samples are drawn once per generator, boundaries found once per prompt.
    """

    info = CARD

    def offset(self, latents: Latents, prompt: Prompt) -> Tensor:
        """Return the offset of every row at strength 1, [w_dim]."""
        boundary = self.boundary(prompt)
        return sent(self.values.step * boundary.distance * boundary.normal, latents.codes.device, latents.codes.dtype)

    def prepare(self, prompt: Prompt) -> None:
        """Compute the prompt's boundary."""
        self.boundary(prompt)

    @once_per_prompt
    @torch.inference_mode(False)
    def boundary(self, prompt: Prompt) -> Boundary:
        """Return the boundary of a prompt's target against its source, computed once."""
        samples = self.samples
        source = None if prompt.source is None else self.embed_text(prompt.source)
        high, low = extremes(samples.likeness(self.embed_text(prompt.target), source), self.values.share)
        return separate(samples.codes[high], samples.codes[low], self.values.penalty)

    @cached_property
    def samples(self) -> Samples:
        """Samples that the boundaries separate, drawn once."""
        from textedit_bench.training.samples import seen_samples

        return seen_samples(self.domain, self.values.samples, self.values.seed)


def extremes(score: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Return positions of the highest and of the lowest ``share`` of the scores; at least one each, disjoint.

    Source: Shen et al. 2020, sec. 4.1: the candidates whose scores the classifier is surest of.
    """
    count = min(max(1, round(share * len(score))), len(score) // 2)
    order = score.argsort(stable=True)
    return order[len(order) - count :], order[:count]


def separate(positive: Tensor, negative: Tensor, penalty: float = 1.0) -> Boundary:
    """Fit a linear support vector machine with squared hinge loss; return its boundary.

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
    """Return the weights [w_dim] of the machine; the intercept is fitted too but not returned."""
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
