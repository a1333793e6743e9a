"""Network shapes that methods have to support, as small data sets of random weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["face", "animal", "scene", "object"]


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """Sizes of one toy data set.

    Attributes:
        name: of the data set.
        resolution: side of the canvas in pixels, a power of two, at least 8; it decides the number of W+ rows.
        height: rows of real picture, where the canvas has borders.
        w_dim: width of W and of Z.
        clip_dim: width of the guiding CLIP.
        channels: feature channels of the generator at every resolution.
        kind: what the pictures show.
        complete: whether there are an encoder, an identity network and a discriminator; otherwise there are only the
            generator and the CLIPs.
    """

    name: str
    resolution: int
    height: int | None = None
    w_dim: int
    clip_dim: int
    channels: int = 4
    kind: Kind = "face"
    complete: bool = True


TOYS = (
    Geometry(name="toy-face", resolution=16, w_dim=8, clip_dim=8),
    Geometry(name="toy-car", resolution=32, height=24, w_dim=16, clip_dim=16, kind="object"),
    Geometry(name="toy-scene", resolution=16, w_dim=12, clip_dim=8, kind="scene", complete=False),
)
"""Data sets of `check_editor`. The last has another CLIP width than W and few networks, unlike any published one."""

FULL_SIZE = (
    Geometry(name="full-face", resolution=1024, w_dim=512, clip_dim=512, channels=2),
    Geometry(name="full-car", resolution=512, height=384, w_dim=512, clip_dim=512, channels=2, kind="object"),
    Geometry(name="full-cat", resolution=256, w_dim=512, clip_dim=512, channels=2, kind="animal"),
)
"""Rows, widths and pictures of the published generators (18, 16 and 14 rows), with two channels everywhere."""
