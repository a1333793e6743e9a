"""Flow between W and a normal space under a condition: drift, divergence, norms, and a solver of fixed steps.

Sources: Abdal et al. 2021 (arXiv 2008.02401), sec. 4; Grathwohl et al. 2019 (FFJORD, arXiv 1810.01367), sec. 3.1, for
the density; what the released code does where the papers are silent stands in this folder's README.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from textedit_bench.models.storage import StoredNetwork

_EPS = 1e-4
"""Added to the variances."""
_DECAY = 0.1
"""Share of a batch in the running statistics."""
STEPS = 8
"""Of the solver: half as many are as near to the exact solution as the released adaptive solver comes."""


class MovingNorm(nn.Module):
    """Centre and scale codes of width ``dim`` by running statistics, in training too; invertible."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.zeros(dim)), nn.Parameter(torch.zeros(dim))
        self.register_buffer("running_mean", torch.zeros(dim))
        self.register_buffer("running_var", torch.ones(dim))

    def log_scale(self) -> Tensor:
        """Logarithm of what every coordinate is multiplied by, [dim]."""
        return self.weight - 0.5 * (self.running_var + _EPS).log()

    def forward(self, x: Tensor, reverse: bool = False) -> Tensor:
        """[..., dim] -> [..., dim]."""
        scale = self.log_scale().exp()
        return (x - self.bias) / scale + self.running_mean if reverse else (x - self.running_mean) * scale + self.bias

    @torch.no_grad()
    def follow(self, x: Tensor) -> None:
        """Move the statistics towards those of a batch [..., dim]."""
        rows = x.detach().flatten(0, -2)
        self.running_mean.lerp_(rows.mean(0), _DECAY)
        if len(rows) > 1:  # a single code says nothing of the variance
            self.running_var.lerp_(rows.var(0), _DECAY)


class ConditionedLayer(nn.Module):
    """A linear layer whose outputs are gated and shifted by time and condition (of ``context`` numbers)."""

    def __init__(self, into: int, out: int, context: int) -> None:
        super().__init__()
        self.linear = nn.Linear(into, out)
        self.gate, self.shift = nn.Linear(1 + context, out), nn.Linear(1 + context, out, bias=False)

    def forward(self, x: Tensor, tangent: Tensor | None, told: Tensor) -> tuple[Tensor, Tensor | None]:
        """Values [B, rows, into], a direction in which they change (or None), [time, condition] [B, 1 + context]."""
        gate = torch.sigmoid(self.gate(told))[:, None]
        turned = None if tangent is None else nn.functional.linear(tangent, self.linear.weight) * gate
        return self.linear(x) * gate + self.shift(told)[:, None], turned


class Flow(nn.Module):
    """The solution of ``dx/dt = drift(t, x, condition)`` from 0 to a trained time, and back; see `ConditionalFlow`."""

    def __init__(self, dim: int, hidden: Sequence[int], context: int) -> None:
        super().__init__()
        self.sqrt_end_time = nn.Parameter(torch.tensor(1.0))
        self.layers = nn.ModuleList(ConditionedLayer(into, out, context) for into, out in pairwise([dim, *hidden, dim]))

    def drift(self, t: Tensor, x: Tensor, context: Tensor, noise: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Velocity [B, rows, dim] and, where noise is given, an estimate of its divergence [B, rows, 1], else 0.

        The estimate is Hutchinson's, ``noise . J noise``; the product with the Jacobian goes along with the values, so
        that no gradient has to be taken for it.
        """
        told = torch.cat([t.to(context).expand(len(context), 1), context], dim=1)
        tangent = noise
        for number, layer in enumerate(self.layers):
            if number:
                x = torch.tanh(x)
                tangent = None if tangent is None else tangent * (1 - x.square())
            x, tangent = layer(x, tangent, told)
        if noise is None or tangent is None:
            return x, torch.zeros_like(x[..., :1])
        return x, (noise * tangent).sum(-1, keepdim=True)

    def forward(
        self, x: Tensor, context: Tensor, reverse: bool = False, noise: Tensor | None = None, steps: int = STEPS
    ) -> tuple[Tensor, Tensor]:
        """Codes at the other end, and the integral of the divergence on the way; arguments as `ConditionalFlow`'s.

        By the classical Runge-Kutta method of order 4 with equal steps, so that what becomes of a code does not depend
        on the others of its batch.
        """
        end = self.sqrt_end_time.square()
        start, length = (end, -end / steps) if reverse else (torch.zeros_like(end), end / steps)
        total = torch.zeros_like(x[..., :1])
        for step in range(steps):
            t, half = start + step * length, length / 2
            k1, d1 = self.drift(t, x, context, noise)
            k2, d2 = self.drift(t + half, x + half * k1, context, noise)
            k3, d3 = self.drift(t + half, x + half * k2, context, noise)
            k4, d4 = self.drift(t + length, x + length * k3, context, noise)
            x = x + length / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
            total = total + length / 6 * (d1 + 2 * d2 + 2 * d3 + d4)
        return x, total


class ConditionalFlow(StoredNetwork):
    """Norm, then flow and norm, once or several times; every row of W+ goes its own way under one condition.

    Args:
        dim: width of W.
        hidden: widths between the layers of a flow.
        context: numbers of the condition.
        blocks: flows.
        norms: whether there are norms.
        labels: target and source text of every number of the condition; none where they are no scores of texts.

    Attributes:
        label_mean, label_std: of the texts' scores, [context]; where there are labels.
    """

    label_mean: Tensor
    label_std: Tensor

    def __init__(
        self,
        dim: int,
        hidden: Sequence[int],
        context: int,
        blocks: int = 1,
        norms: bool = True,
        labels: Sequence[Sequence[str]] = (),
    ) -> None:
        super().__init__()
        if labels and len(labels) != context:
            raise ValueError(f"{len(labels)} labels for a condition of {context} numbers")
        self.dim, self.context, self.labels = dim, context, [(target, source) for target, source in labels]
        self.hidden, self.blocks, self.norms = list(hidden), blocks, norms
        parts: list[nn.Module] = [MovingNorm(dim)] if norms else []
        for _ in range(blocks):
            parts += [Flow(dim, hidden, context), *([MovingNorm(dim)] if norms else [])]
        self.chain = nn.ModuleList(parts)
        if labels:
            self.register_buffer("label_mean", torch.zeros(context))
            self.register_buffer("label_std", torch.ones(context))

    def forward(
        self, x: Tensor, context: Tensor, reverse: bool = False, noise: Tensor | None = None, steps: int = STEPS
    ) -> Any:
        """W codes [B, rows, dim] to the normal space, or back; with noise also the change of their log density.

        Args:
            x: codes.
            context: condition [B, context], further axes of size 1 allowed.
            reverse: from the normal space to W.
            noise: standard normal of the shape of ``x``, for the density.
            steps: of the solver.

        Returns:
            Codes [B, rows, dim]; with noise a pair of them and minus the log determinant [B, rows, 1]:
            ``log p(w) = log N(z) - change``.

        Raises:
            ValueError: codes or a condition of other shapes.
        """
        context = context.flatten(1)
        if x.ndim != 3 or x.shape[2] != self.dim or context.shape != (len(x), self.context):
            raise ValueError(
                f"this flow reads codes [B, rows, {self.dim}] and conditions [B, {self.context}], got "
                f"{tuple(x.shape)} and {tuple(context.shape)}"
            )
        change = torch.zeros_like(x[..., :1])
        for part in reversed(self.chain) if reverse else self.chain:
            if isinstance(part, Flow):
                x, divergence = part(x, context, reverse, noise, steps)
                change = change - divergence
            elif isinstance(part, MovingNorm):
                x, before = part(x, reverse), x
                change = change - part.log_scale().sum() * (-1 if reverse else 1)
                if self.training and not reverse:
                    part.follow(before)
        return x if noise is None else (x, change)
