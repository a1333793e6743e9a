"""Small random networks with a vocabulary of a domain's prompts, for conformance checks."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from textedit_bench.models.storage import save_network
from textedit_bench.testing.miniature import write_reader
from textedit_methods.stacked_gans.network import (
    AttnGenerator,
    ControlGenerator,
    MemoryGenerator,
    Sizes,
    StackedGenerator,
)

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

_WIDTH = 8


def _write(kind: type[StackedGenerator], folder: Path, domain: Domain) -> dict[str, str]:
    """Write a generator of few channels, a text encoder and a vocabulary; return the settings that name them."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = kind(Sizes(features=2, words=_WIDTH, condition=4, noise=4, residuals=1, stages=3))
    path = save_network(network, folder / "generator.safetensors", kind.__name__)
    return {"generator": str(path), **write_reader(folder, domain, _WIDTH)}


write_attngan = partial(_write, AttnGenerator)
write_controlgan = partial(_write, ControlGenerator)
write_dmgan = partial(_write, MemoryGenerator)
