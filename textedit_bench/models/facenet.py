"""FaceNet of facenet-pytorch: a second identity network, with another architecture and another loss.

Source: Schroff et al. 2015 (FaceNet), arXiv 1503.03832; weights trained on VGGFace2 or CASIA-WebFace.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from textedit_bench.errors import CheckpointError
from textedit_bench.models.curricularface import FoundFaces
from textedit_bench.models.face_alignment import Finder
from textedit_bench.models.face_presence import Presence
from textedit_bench.models.state_dicts import load_exactly


class FaceNet(FoundFaces):
    """The published network, for faces that are aligned like CurricularFace's.

    The package crops a box instead; with the landmarks of the source both judges see the very same face.

    Args:
        find, shows: of `FoundFaces`.
    """

    side = 160

    def __init__(self, find: Finder | None = None, shows: Presence | None = None) -> None:
        super().__init__(find, shows)
        from facenet_pytorch import InceptionResnetV1

        self.network: Any = InceptionResnetV1(pretrained=None, classify=False)
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
