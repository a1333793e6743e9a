"""Networks of toy data sets: random, tiny, and stored in our format."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.models.clip import ClipModel
from textedit_bench.models.storage import StoredNetwork

_CELLS = 4
_ALPHABET = 256


def _grid(images: Tensor) -> Tensor:
    """Average pictures of any size to [B, 3 * 4 * 4]."""
    return F.adaptive_avg_pool2d(images, _CELLS).flatten(1)


class ToyEncoder(StoredNetwork):
    """Inverts photos to W+ by a linear map of a coarse grid."""

    def __init__(self, rows: int, w_dim: int) -> None:
        super().__init__()
        self.rows, self.w_dim = rows, w_dim
        self.read = nn.Linear(3 * _CELLS**2, rows * w_dim)

    def encode(self, images: Tensor) -> Tensor:
        """Invert pictures [B, 3, H, W] to W+ [B, rows, w_dim]."""
        codes: Tensor = self.read(_grid(images)).unflatten(1, (self.rows, self.w_dim))
        return codes


class ToyIdentity(StoredNetwork):
    """Embeds pictures as unit vectors."""

    threshold = 0.5

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.look = nn.Linear(3 * _CELLS**2, dim)

    def embed(self, images: Tensor) -> Tensor:
        """Compute unit vectors [B, dim] of pictures [B, 3, H, W]."""
        return F.normalize(self.look(_grid(images)), dim=1)


class _Towers(nn.Module):
    """The two encoders of a CLIP: smooth functions of the picture and of letter counts."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.look = nn.Sequential(nn.Linear(3 * _CELLS**2, dim), nn.Tanh(), nn.Linear(dim, dim))
        self.letters = nn.Linear(_ALPHABET, dim)

    def encode_image(self, pixels: Tensor) -> Tensor:
        embeddings: Tensor = self.look(_grid(pixels))
        return embeddings

    def encode_text(self, tokens: Tensor) -> Tensor:
        embeddings: Tensor = self.letters(tokens.to(self.letters.weight))
        return embeddings


def _count_letters(texts: Sequence[str]) -> Tensor:
    """Count the occurrences of each byte, [B, 256]."""
    counts = [torch.bincount(torch.tensor(list(text.encode())), minlength=_ALPHABET) for text in texts]
    return torch.stack(counts)


class ToyClip(ClipModel, StoredNetwork):
    """A CLIP with random but deterministic embeddings."""

    def __init__(self, dim: int, image_size: int) -> None:
        super().__init__(_Towers(dim), _count_letters, image_size, (0.5,) * 3, (0.5,) * 3, "toy")
        self.dim = dim
