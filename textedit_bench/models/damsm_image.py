"""The image encoder of AttnGAN and its family (DAMSM): Inception v3, seen by regions and as a whole.

Source: Xu et al. 2018 (arXiv 1711.10485), sec. 3.2; the published code, which all systems of the family share.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.models.inception import BLOCKS, SIDE
from textedit_bench.models.released import ReleasedTensors, StateDictAdapter, load_trained
from textedit_bench.models.storage import StoredNetwork

_REGIONS = "Mixed_6e"
_REGION_WIDTH, _CODE_WIDTH = 768, 2048


class ImageEncoder(StoredNetwork):
    """Embeds pictures next to the words and sentences of a `TextEncoder`.

    torchvision's blocks, with its own average pools (a FID's Inception has others).

    Args:
        width: of the embeddings.
        corners: whether the resizing to 299 pixels matches corners, as in AttnGAN's time and DM-GAN; ControlGAN and
            ManiGAN do not.
    """

    def __init__(self, width: int = 256, corners: bool = False) -> None:
        super().__init__()
        from torchvision.models.inception import Inception3  # half a second to import

        self.width, self.corners = width, corners
        trunk = Inception3(aux_logits=False, transform_input=False, init_weights=False)
        for name in BLOCKS:
            self.add_module(name, getattr(trunk, name))
        self.emb_features = nn.Conv2d(_REGION_WIDTH, width, 1, bias=False)
        self.emb_cnn_code = nn.Linear(_CODE_WIDTH, width)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures [B, 3, H, W] in [-1, 1] -> regions [B, width, 17, 17] and code [B, width]."""
        x = F.interpolate(images, (SIDE, SIDE), mode="bilinear", align_corners=self.corners)
        regions = x
        for name in BLOCKS:
            x = self.get_submodule(name)(x)
            if name == _REGIONS:
                regions = self.emb_features(x)
        return regions, self.emb_cnn_code(x.mean((2, 3)))


def load_image_encoder(path: str | os.PathLike[str]) -> ImageEncoder:
    """Load an image encoder: a released ``image_encoder*.pth``, or a file of ours.

    Raises:
        CheckpointError: the file is missing, damaged, would execute code, or has another network.
    """
    return cast("ImageEncoder", load_trained(Path(path), ImageEncoder, "the DAMSM image encoder", IMAGE_ENCODER))


def _build(tensors: ReleasedTensors) -> ImageEncoder:
    width, _ = tensors.matrix("emb_cnn_code.weight", "width")
    return ImageEncoder(width)


IMAGE_ENCODER = StateDictAdapter(
    trainer="the DAMSM trainer",
    own_name=lambda name: None if name.endswith(".num_batches_tracked") else name,
    build=_build,
    missing="no tensors in it",
)
