"""CurricularFace IR-101: an identity network for evaluation, used in no StyleGAN editing method's training.

Sources: Huang et al. 2020 (CurricularFace), arXiv 2004.00288; Deng et al. 2019 (ArcFace), arXiv 1801.07698, for the
improved residual body. Layer names and order are those of the published checkpoint, as pSp reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.models.face_alignment import Finder, MtcnnFinder, warp_faces
from textedit_bench.models.face_presence import MtcnnPresence, Presence
from textedit_bench.models.irse import body, input_layer
from textedit_bench.models.state_dicts import load_exactly

STAGES = ((64, 3), (128, 13), (256, 30), (512, 3))


class FoundFaces(nn.Module):
    """Unit embeddings of faces, detected by MTCNN and aligned by five landmarks; a subclass embeds aligned ones.

    Args:
        find: landmarks of pictures.
        shows: whether pictures show a face.
    """

    side: ClassVar[int]
    """Of the aligned faces."""

    def __init__(self, find: Finder | None = None, shows: Presence | None = None) -> None:
        super().__init__()
        self._find, self._shows = find or MtcnnFinder(), shows or MtcnnPresence()

    def landmarks(self, images: Tensor) -> Tensor:
        """Detect landmarks [B, 5, 2] in pixels of pictures [B, 3, H, W] in [-1, 1]; nan if there is no face."""
        return self._find(images)

    def shows_face(self, images: Tensor) -> Tensor:
        """Return whether pictures [B, 3, H, W] in [-1, 1] show a face, bool [B]; far cheaper than `landmarks`."""
        return self._shows(images)

    @torch.no_grad()
    def embed(self, images: Tensor, points: Tensor | None = None) -> Tensor:
        """Compute unit embeddings [B, 512]; rows of nan if there is no face.

        Args:
            images: [B, 3, H, W] in [-1, 1].
            points: landmarks to align by, on the CPU, such as the source's; found in the pictures themselves if None.
        """
        points = self.landmarks(images) if points is None else points
        there = points.isfinite().flatten(1).all(1)
        rows = images.new_full((len(images), 512), float("nan"))
        if there.all():
            rows = self(warp_faces(images, points, self.side))
        elif there.any():
            chosen = there.nonzero()[:, 0].to(images.device, non_blocking=True)
            rows[chosen] = self(warp_faces(images[chosen], points[there], self.side))
        return rows


class CurricularFace(FoundFaces):
    """The published network.

    Args:
        stages: (channels, blocks) of the body; the published network's unless a test needs a small one.
        find, shows: of `FoundFaces`.
    """

    side = 112

    def __init__(
        self, stages: Sequence[tuple[int, int]] = STAGES, find: Finder | None = None, shows: Presence | None = None
    ) -> None:
        super().__init__(find, shows)
        self.input_layer, self.body = input_layer(), body(stages, gated=False)
        width, cells = stages[-1][0], (self.side // 2 ** len(stages)) ** 2
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(width),
            nn.Dropout(0.6),
            nn.Flatten(),
            nn.Linear(width * cells, 512),
            nn.BatchNorm1d(512, affine=False),
        )
        self.eval().requires_grad_(False)

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor], source: str) -> CurricularFace:
        """Build the published network.

        Raises:
            CheckpointError: tensors are missing, surplus or misshapen.
        """
        made = cls()
        load_exactly(made, state, source)
        return made

    def forward(self, faces: Tensor) -> Tensor:
        """Embed aligned faces [B, 3, 112, 112], RGB in [-1, 1], as unit vectors [B, 512]."""
        return F.normalize(self.output_layer(self.body(self.input_layer(faces))), dim=1)
