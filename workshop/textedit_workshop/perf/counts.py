"""Count operations and bytes of the full tier's networks without weights or memory (torch's meta device)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class Passes:
    """Operations of one picture through a network, and what a step of optimisation has to keep of it."""

    forward: float
    both: float
    kept_bytes: float
    parameter_bytes: float


def count(make: Callable[[], nn.Module], run: Callable[[Any, Tensor], Tensor], shape: tuple[int, ...]) -> Passes:
    """Count a forward pass, and one with the gradient of its input, at batch 1."""
    with torch.device("meta"):
        network = make().eval().requires_grad_(False)
        given = torch.empty(1, *shape, requires_grad=True)
    kept: dict[int, tuple[Tensor, int]] = {}

    def keep(tensor: Tensor) -> Tensor:
        if not isinstance(tensor, nn.Parameter):
            kept[id(tensor)] = tensor, tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t), FlopCounterMode(display=False) as counter:
        found = run(network, given)
        forward = counter.get_total_flops()
        found.sum().backward()
    parameters = sum(p.numel() * p.element_size() for p in network.parameters())
    return Passes(forward, counter.get_total_flops(), sum(size for _, size in kept.values()), parameters)


def transformer(width: int, layers: int, side: int, patch: int) -> Passes:
    """A vision transformer by its formula: 24 n w^2 + 4 n^2 w operations per layer, and the patches."""
    n = (side // patch) ** 2 + 1
    forward = layers * (24.0 * n * width**2 + 4.0 * n**2 * width) + 2.0 * 3 * patch**2 * width * (n - 1)
    parameters = 4.0 * (12 * layers * width**2 + 3 * patch**2 * width)
    return Passes(forward, 2 * forward, 4.0 * layers * n * width * 14, parameters)


def networks() -> dict[str, Passes]:
    """Every network of the full tier that is run per picture."""
    from textedit_bench.models.encoder import StyleEncoder
    from textedit_bench.models.identity import ArcFace
    from textedit_bench.models.inception import Inception
    from textedit_bench.models.stylegan2 import Generator

    return {
        "generator, 1024": count(
            lambda: Generator(1024, 512, 512), lambda g, w: g.synthesize(w, noise="const"), (18, 512)
        ),
        "encoder (e4e)": count(lambda: StyleEncoder(18), lambda e, x: e(x), (3, 256, 256)),
        "IR-SE50": count(ArcFace, lambda r, x: r(x), (3, 112, 112)),
        "Inception": count(Inception, lambda i, x: i.network(x), (3, 299, 299)),
        "CLIP ViT-B/32": transformer(768, 12, 224, 32),
        "CLIP ViT-L/14": transformer(1024, 24, 224, 14),
    }
