"""How large the networks of a rehearsal are: as published, unless a test wants them small."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ClipSize:
    """A vision-transformer CLIP; the defaults are those of ViT-B/32."""

    embed_dim: int = 512
    image_size: int = 224
    patch: int = 32
    vision_width: int = 768
    vision_layers: int = 12
    context: int = 77
    vocabulary: int = 49408
    text_width: int = 512
    text_layers: int = 12


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Networks of one data set; the defaults are those of config-f."""

    resolution: int
    w_dim: int = 512
    widest: int = 512
    """Channels of the low resolutions."""
    channel_base: int = 32768
    """Channels times resolution of the high ones."""
    mapping_layers: int = 8
    clip: ClipSize = ClipSize()

    @property
    def blocks(self) -> int:
        """Upsampling blocks."""
        return int(math.log2(self.resolution)) - 2

    @property
    def rows(self) -> int:
        """Rows of W+."""
        return 2 * self.blocks + 2

    def channels(self, resolution: int) -> int:
        """Feature channels at a resolution."""
        return min(self.channel_base // resolution, self.widest)

    @property
    def style_layers(self) -> list[tuple[int, bool]]:
        """Channels and is-toRGB of every style vector, in the generator's order."""
        layers = [(self.channels(4), False), (self.channels(4), True)]
        for block in range(self.blocks):
            into, out = self.channels(4 << block), self.channels(8 << block)
            layers += [(into, False), (out, False), (out, True)]
        return layers

    @property
    def edited_channels(self) -> list[int]:
        """Channels of every style vector that is not a toRGB's."""
        return [channels for channels, is_rgb in self.style_layers if not is_rgb]
