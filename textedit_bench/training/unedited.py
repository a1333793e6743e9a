"""Describe the unedited images of training codes once, for terms that compare edits with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from textedit_bench.devices import sent
from textedit_bench.models.batches import images_at_once

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

Describe = Callable[[Tensor], Tensor]
"""Images [B, 3, H, W] -> rows [B, ...]."""


@torch.no_grad()
def describe_unedited(
    domain: Domain, codes: Tensor, device: torch.device, wanted: Mapping[str, Describe]
) -> dict[str, Tensor]:
    """Synthesise codes [M, rows, d] and return what ``wanted`` computes of their images, name -> [M, ...]."""
    if not wanted:
        return {}
    chunks: list[dict[str, Tensor]] = []
    for part in codes.split(images_at_once(domain.generator.resolution)):
        images = domain.generator.synthesize(sent(part, device))
        chunks.append({name: describe(images) for name, describe in wanted.items()})
    return {name: torch.cat([chunk[name] for chunk in chunks]) for name in wanted}
