"""What DeltaEdit keeps of a data set: the mapper, the relevance matrix, and how images reached CLIP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from textedit_methods.deltaedit.network import DeltaMapper

if TYPE_CHECKING:
    from textedit_bench.models.clip import Preprocessing


class DeltaModel(nn.Module):
    """A trained mapper with the relevance matrix [num_styles, d] of the same generator and CLIP.

    Args:
        mapper: the network.
        relevance: unit rows; None where the mapper came without one, as the released file does.
        clip_preprocessing: of the images whose features the mapper reads.
    """

    relevance: Tensor | None

    def __init__(
        self, mapper: DeltaMapper, relevance: Tensor | None = None, clip_preprocessing: Preprocessing = "published"
    ) -> None:
        super().__init__()
        self.mapper, self.clip_preprocessing = mapper, clip_preprocessing
        self.register_buffer("relevance", relevance)

    @property
    def config(self) -> dict[str, Any]:
        """Constructor arguments as plain JSON values."""
        shape = None if self.relevance is None else list(self.relevance.shape)
        return {"mapper": self.mapper.config, "relevance": shape, "clip_preprocessing": self.clip_preprocessing}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> DeltaModel:
        """Inverse of `config`; the matrix is empty until tensors are loaded."""
        shape = config["relevance"]
        relevance = None if shape is None else torch.zeros(shape)
        return cls(DeltaMapper.from_config(config["mapper"]), relevance, config["clip_preprocessing"])
