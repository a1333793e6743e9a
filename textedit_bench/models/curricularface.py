"""CurricularFace IR-101: an identity network for evaluation, used in no StyleGAN editing method's training.

Sources: Huang et al. 2020 (CurricularFace), arXiv 2004.00288; Deng et al. 2019 (ArcFace), arXiv 1801.07698, for the
improved residual body. Layer names and order are those of the published checkpoint, as pSp reads it.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.models.face_alignment import Finder, MtcnnFinder, warp_faces
from textedit_bench.models.face_presence import MtcnnPresence, Presence
from textedit_bench.models.irse import input_layer
from textedit_bench.models.matching import load_exactly

STAGES = ((64, 3), (128, 13), (256, 30), (512, 3))


class PlainBottleneck(nn.Module):
    """Improved residual block without squeeze-and-excitation; the second convolution has the stride."""

    def __init__(self, in_dim: int, depth: int, stride: int) -> None:
        super().__init__()
        self.shortcut_layer: nn.Module = nn.MaxPool2d(1, stride)
        if in_dim != depth:
            self.shortcut_layer = nn.Sequential(nn.Conv2d(in_dim, depth, 1, stride, bias=False), nn.BatchNorm2d(depth))
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(in_dim),
            nn.Conv2d(in_dim, depth, 3, padding=1, bias=False),
            nn.PReLU(depth),
            nn.Conv2d(depth, depth, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(depth),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, in_dim, H, W] to [B, depth, H / stride, W / stride]."""
        out: Tensor = self.shortcut_layer(x) + self.res_layer(x)
        return out


class CurricularFace(nn.Module):
    """Unit embeddings of faces, detected by MTCNN.

    Args:
        stages: (channels, blocks) of the body; the published network's unless a test needs a small one.
        find: landmarks of pictures.
        shows: whether pictures show a face.
    """

    def __init__(
        self,
        stages: tuple[tuple[int, int], ...] = STAGES,
        find: Finder | None = None,
        shows: Presence | None = None,
    ) -> None:
        super().__init__()
        self.input_layer = input_layer()
        blocks: list[nn.Module] = []
        width = 64
        for depth, count in stages:
            for index in range(count):
                blocks.append(PlainBottleneck(width, depth, 2 if index == 0 else 1))
                width = depth
        self.body = nn.Sequential(*blocks)
        cells = (112 // 2 ** len(stages)) ** 2
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(width),
            nn.Dropout(0.6),
            nn.Flatten(),
            nn.Linear(width * cells, 512),
            nn.BatchNorm1d(512, affine=False),
        )
        self._find, self._shows = find or MtcnnFinder(), shows or MtcnnPresence()
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
            points: landmarks to align by, such as the source's; found in the pictures themselves if None.
        """
        return embed_found(self, images, self.landmarks(images) if points is None else points, 112)


def embed_found(network: nn.Module, images: Tensor, points: Tensor, side: int) -> Tensor:
    """Embed the pictures with known landmarks [B, 5, 2], on the CPU; rows of nan for the others."""
    there = points.isfinite().flatten(1).all(1)
    rows = images.new_full((len(images), 512), float("nan"))
    if there.all():
        rows = network(warp_faces(images, points, side))
    elif there.any():
        chosen = there.nonzero()[:, 0].to(images.device, non_blocking=True)
        rows[chosen] = network(warp_faces(images[chosen], points[there], side))
    return rows
