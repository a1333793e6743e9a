"""Identity and similarity networks: ArcFace IR-SE50 for faces, MoCo v2 ResNet-50 for everything else.

Both give unit vectors through `embed`, with the cropping and resizing of the published losses.
Sources: Deng et al. 2019, arXiv 1801.07698; Chen et al. 2020 (MoCo v2), arXiv 2003.04297.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.models.irse import body, input_layer
from textedit_bench.models.storage import StoredNetwork

FACE_SIDE = 256
FACE_ROWS, FACE_COLUMNS = slice(35, 223), slice(32, 220)
ARCFACE_SIDE = 112


def published_face_crop(images: Tensor) -> Tensor:
    """Crop as in the published identity losses: FFHQ-aligned (B, 3, H, W) -> (B, 3, 112, 112).

    Pictures that are not 256 high are averaged to 256x256 first; then rows 35:223 and columns 32:220, averaged to
    112x112.
    """
    if images.shape[2] != FACE_SIDE:
        images = F.adaptive_avg_pool2d(images, FACE_SIDE)
    return F.adaptive_avg_pool2d(images[:, :, FACE_ROWS, FACE_COLUMNS], ARCFACE_SIDE)


@contextmanager
def _plain_sums() -> Iterator[None]:
    """Disable oneDNN for convolutions, which reduces the measured rounding errors here to a third.

    The slope of the identity loss jumps where the input of a PReLU changes sign; with the larger errors one such input
    fell on the wrong side and moved the published gradient by 16 times its tolerance. Costs a tenth of the time.
    """
    before = torch.backends.mkldnn.enabled
    torch.backends.mkldnn.enabled = False  # type: ignore[assignment]
    try:
        yield
    finally:
        torch.backends.mkldnn.enabled = before


class ArcFace(StoredNetwork):
    """IR-SE50 with the ArcFace head; `forward` takes 112x112 faces, `embed` takes FFHQ-aligned pictures of any size."""

    def __init__(self) -> None:
        super().__init__()
        self.input_layer, self.body = input_layer(), body()
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(512), nn.Dropout(0.6), nn.Flatten(), nn.Linear(512 * 7 * 7, 512), nn.BatchNorm1d(512)
        )

    def forward(self, faces: Tensor) -> Tensor:
        """Embed faces (B, 3, 112, 112), RGB in [-1, 1], as unit vectors (B, 512)."""
        with _plain_sums():
            return F.normalize(self.output_layer(self.body(self.input_layer(faces))), dim=1)

    def embed(self, images: Tensor) -> Tensor:
        """Embed FFHQ-aligned pictures (B, 3, H, W), RGB in [-1, 1], as unit vectors (B, 512)."""
        return self(published_face_crop(images))


class MocoSimilarity(StoredNetwork):
    """MoCo v2 ResNet-50 features, as used in published losses for domains other than faces."""

    def __init__(self) -> None:
        super().__init__()
        from torchvision.models import resnet50  # half a second to import, and only this class needs it

        self.trunk = resnet50(weights=None)
        self.trunk.fc = nn.Identity()

    def embed(self, images: Tensor) -> Tensor:
        """Compute unit features (B, 2048) of pictures (B, 3, H, W) in [-1, 1].

        Nearest-neighbour resize to 224x224 and no ImageNet mean or std, as in the e4e loss. The batch axis always
        stays.
        """
        return F.normalize(self.trunk(F.interpolate(images, size=(224, 224), mode="nearest")), dim=1)
