"""FaceNet of facenet-pytorch: a second identity network, with another architecture and another loss.

Source: Schroff et al. 2015 (FaceNet), arXiv 1503.03832; weights trained on VGGFace2 or CASIA-WebFace.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from textedit_bench.models.curricularface import embed_found
from textedit_bench.models.errors import CheckpointError
from textedit_bench.models.face_alignment import Finder, MtcnnFinder
from textedit_bench.models.face_presence import MtcnnPresence, Presence
from textedit_bench.models.matching import load_exactly

SIDE = 160


class FaceNet(nn.Module):
    """Unit embeddings of faces, detected by MTCNN and aligned by five landmarks like for CurricularFace.

    The package crops a box instead; with the landmarks of the source both judges see the very same face.

    Args:
        find: landmarks of pictures.
        shows: whether pictures show a face.
    """

    def __init__(self, find: Finder | None = None, shows: Presence | None = None) -> None:
        super().__init__()
        from facenet_pytorch import InceptionResnetV1

        self.network: Any = InceptionResnetV1(pretrained=None, classify=False)
        self._find, self._shows = find or MtcnnFinder(), shows or MtcnnPresence()
        # Dropout and batch norm are inside: in training mode its scores would be random.
        self.eval().requires_grad_(False)

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor], source: str) -> FaceNet:
        """Build the network of a published file, without its classifier.

        Raises:
            CheckpointError: tensors are missing, surplus or misshapen.
        """
        made = cls()
        kept = {name: tensor for name, tensor in state.items() if not name.startswith("logits.")}
        own = made.network.state_dict()
        if not set(kept) & set(own):
            raise CheckpointError(f"{source}: holds no tensor of FaceNet")
        load_exactly(made.network, kept, source)
        return made

    def forward(self, faces: Tensor) -> Tensor:
        """Embed faces [B, 3, 160, 160], RGB in [-1, 1], as unit vectors [B, 512]."""
        # (x - 127.5) / 128 on 0..255.
        rows: Tensor = self.network(faces * (127.5 / 128.0))
        return rows

    def landmarks(self, images: Tensor) -> Tensor:
        """Detect landmarks [B, 5, 2] in pixels of pictures [B, 3, H, W] in [-1, 1]; nan if there is no face."""
        return self._find(images)

    def shows_face(self, images: Tensor) -> Tensor:
        """Like `CurricularFace.shows_face`."""
        return self._shows(images)

    @torch.no_grad()
    def embed(self, images: Tensor, points: Tensor | None = None) -> Tensor:
        """Compute unit embeddings [B, 512]; rows of nan if there is no face; arguments as `CurricularFace.embed`."""
        return embed_found(self, images, self.landmarks(images) if points is None else points, SIDE)
