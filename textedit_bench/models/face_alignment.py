"""Align faces for evaluation networks: detected once in the source, the same warp for source and edit.

StyleGAN edits keep the frame, and a detector moves by several pixels with the resolution alone; detecting the face
again in every edit would score the detector. Whether an edit still shows a face is asked separately (`face_presence`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.errors import UserError
from textedit_bench.levels import to_levels

TEMPLATE = ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041))
"""Eyes, nose and mouth corners in a 112x112 face, x and y in pixels, the image's left first (ArcFace)."""
FACE_SIDE = 112

Finder = Callable[[Tensor], Tensor]
"""Pictures [B, 3, H, W] in [-1, 1] -> landmarks [B, 5, 2] in pixels, nan if there is no face."""


class MtcnnFinder:
    """Detects the largest face per picture with facenet-pytorch's MTCNN (its weights come with the package)."""

    def __init__(self) -> None:
        self._detector: Any = None

    def __call__(self, images: Tensor) -> Tensor:
        """Return landmarks float32 [B, 5, 2]: eyes, nose, mouth corners in pixels; nan if no face is found."""
        if self._detector is None:
            try:
                from facenet_pytorch import MTCNN
            except ImportError as error:
                raise UserError(
                    "identity judges need facenet-pytorch, which is not installed: "
                    "pip install 'facenet-pytorch>=2.5.3,<2.6'"
                ) from error
            self._detector = MTCNN(keep_all=False, device="cpu")
        levels = to_levels(images).cpu()
        found = [self._one(picture.permute(1, 2, 0).contiguous()) for picture in levels]
        return torch.stack(found) if found else torch.empty(0, 5, 2)

    def _one(self, picture: Tensor) -> Tensor:
        # One picture at a time: a batch that mixes pictures with and without a face breaks the package.
        from PIL import Image

        _, _, points = self._detector.detect(Image.fromarray(picture.numpy()), landmarks=True)
        if points is None or points[0] is None:
            return torch.full((5, 2), float("nan"))
        return torch.as_tensor(np.asarray(points[0], dtype=np.float32))


def similarity_transform(source: Tensor, target: Tensor) -> Tensor:
    """Compute the least-squares similarity [B, 2, 3] (rotation, one scale, shift) between point sets.

    Args:
        source: points [B, N, 2].
        target: points [N, 2] or [B, N, 2].

    Source: Umeyama 1991, without reflections.
    """
    x, y = source.double(), target.double().expand(source.shape)
    x_mean, y_mean = x.mean(1, keepdim=True), y.mean(1, keepdim=True)
    xc, yc = x - x_mean, y - y_mean
    # In the plane: a complex number a + bi that multiplies the centred points.
    norm = xc.square().sum((1, 2))
    a = (xc * yc).sum((1, 2)) / norm
    b = (xc[..., 0] * yc[..., 1] - xc[..., 1] * yc[..., 0]).sum(1) / norm
    turn = torch.stack([torch.stack([a, -b], -1), torch.stack([b, a], -1)], 1)
    shift = y_mean[:, 0] - (turn @ x_mean[:, 0, :, None])[..., 0]
    return torch.cat([turn, shift[..., None]], -1)


def warp_faces(images: Tensor, points: Tensor, side: int = FACE_SIDE) -> Tensor:
    """Warp faces to [B, 3, side, side] with landmarks on the template; bilinear, black outside the picture.

    Args:
        images: [B, 3, H, W].
        points: landmarks [B, 5, 2] in pixels (x, y), finite.
        side: of the faces; the template is scaled with it.
    """
    height, width = images.shape[-2:]
    points = points.cpu()
    template = torch.tensor(TEMPLATE, dtype=torch.float64) * (side / FACE_SIDE)
    # From pixels of the face back to pixels of the picture.
    back = similarity_transform(template.expand(len(points), 5, 2), points)
    axis = torch.arange(side, dtype=torch.float64)
    grid = torch.stack([*torch.meshgrid(axis, axis, indexing="xy"), torch.ones(side, side, dtype=torch.float64)], -1)
    where = torch.einsum("hwk,bck->bhwc", grid, back)
    scale = torch.tensor([width, height], dtype=torch.float64)
    normalised = ((where + 0.5) / scale * 2.0 - 1.0).to(images.dtype).to(images.device, non_blocking=True)
    return F.grid_sample(images + 1.0, normalised, align_corners=False) - 1.0
