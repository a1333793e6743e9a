"""A toy world of grey halves, sufficient to measure success and preservation."""

from __future__ import annotations

from typing import ClassVar

import torch

from textedit_bench.worlds.captions import Wording, Words
from textedit_bench.worlds.world import Attribute, Factors, FactorSpace, Render, World

TOY_WORDS = Words(
    ("toy",),
    {
        half: {level: Wording((f"{level} {half}", f"a {level} {half} half")) for level in ("dark", "bright")}
        for half in ("top", "bottom")
    },
)


class ToyWorld(World):
    """Each attribute is the grey level of one half of the picture; width and light tint it."""

    name: ClassVar[str] = "toy"
    subject: ClassVar[str] = "a toy"
    words: ClassVar[str] = f"{__name__}:TOY_WORDS"
    resolution: ClassVar[int] = 16
    space: ClassVar[FactorSpace] = FactorSpace(
        (Attribute("top", ("dark", "bright"), (0.5, 0.5)), Attribute("bottom", ("dark", "bright"), (0.5, 0.5))),
        ("width",),
        ("light",),
    )

    def render(self, factors: Factors) -> Render:
        """Render a batch."""
        side = self.resolution
        images = torch.zeros(len(factors), 3, side, side)
        masks = {}
        for position, attribute in enumerate(self.attributes):
            half = slice(position * side // 2, (position + 1) * side // 2)
            images[:, :, half] = factors.attributes[:, position, None, None, None].float() - 0.5
            masks[attribute.name] = torch.zeros(len(factors), side, side, dtype=torch.bool)
            masks[attribute.name][:, half] = True
        images[:, 0] += 0.3 * factors.identity[:, :1, None] - 0.15
        images[:, 1] += 0.2 * factors.nuisance[:, :1, None] - 0.1
        return Render(images, masks, torch.ones(len(factors), len(self.attributes), dtype=torch.bool))
