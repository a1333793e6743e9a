"""Protocols of network roles that several classes can serve: published, a world's, or third-party ones.

The generator, its discriminator and the CLIPs are one class each: `Generator`, `Discriminator`, `ClipModel`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, Self, TypeGuard

import torch
from torch import Tensor

ClipRole = Literal["clip", "judge_clip"]
IdentityRole = Literal["identity", "judge_identity"]
OracleRole = Literal["oracle", "second_oracle"]


class Network(Protocol):
    """The part of `torch.nn.Module` that loading uses."""

    def to(self, device: torch.device, /) -> Self:
        """Move it to a device."""
        ...

    def eval(self) -> Self:
        """Disable dropout and updates of batch statistics."""
        ...

    def requires_grad_(self, requires_grad: bool = ..., /) -> Self:
        """Freeze or unfreeze its parameters."""
        ...


class Encoder(Network, Protocol):
    """Inverts photos to codes."""

    def encode(self, images: Tensor) -> Tensor:
        """Invert photos [B, 3, H, W] in [-1, 1] to W+ [B, rows, w_dim], latent average added."""
        ...


class Identity(Network, Protocol):
    """Embeds subjects by identity."""

    def embed(self, images: Tensor) -> Tensor:
        """Embed pictures [B, 3, H, W] in [-1, 1] as unit vectors [B, d]; nan if no face was found."""
        ...


class Parser(Network, Protocol):
    """Finds parts of a face."""

    def hair(self, images: Tensor, /) -> Tensor:
        """Find the hair of pictures [B, 3, H, W] in [-1, 1]: 1 where it is, else 0, [B, 1, H, W]."""
        ...


class VerifyingIdentity(Identity, Protocol):
    """Has a cosine threshold for two embeddings of one subject."""

    @property
    def threshold(self) -> float:
        """Cosine in [-1, 1]."""
        ...


class AlignedIdentity(Network, Protocol):
    """Aligns faces by landmarks of the picture or of another one."""

    def landmarks(self, images: Tensor) -> Tensor:
        """Detect five points [B, 5, 2] of each face, in pixels; nan if there is none."""
        ...

    def shows_face(self, images: Tensor) -> Tensor:
        """Return whether there is a face, bool [B]; far cheaper than landmarks."""
        ...

    def embed(self, images: Tensor, points: Tensor | None = None) -> Tensor:
        """Like `Identity.embed`, aligned by ``points`` if given."""
        ...


class Perceptual(Network, Protocol):
    """Perceptual distance of pictures."""

    def __call__(self, a: Tensor, b: Tensor, keep: Tensor | None = None, /) -> Tensor:
        """Return distances [B] of pictures [B, 3, H, W] in [-1, 1], optionally over the pixels ``keep`` [B, H, W]."""
        ...


class StagedPerceptual(Perceptual, Protocol):
    """Perceptual distance in two steps, so that features of a repeated picture are computed once."""

    def stages(self, images: Tensor) -> list[Tensor]:
        """Compute the features of pictures [B, 3, H, W] for `compare`."""
        ...

    def compare(self, first: Sequence[Tensor], second: Sequence[Tensor], keep: Tensor | None = None) -> Tensor:
        """Compute distances [B] from the stages of two batches."""
        ...


class Features(Network, Protocol):
    """Features for set metrics."""

    def __call__(self, images: Tensor, /) -> Tensor:
        """Compute features [B, d] of pictures [B, 3, H, W] in [-1, 1]."""
        ...


class Oracle(Network, Protocol):
    """Predicts the attributes of a world from pictures."""

    @property
    def attributes(self) -> Sequence[str]:
        """Names of the attributes, in the world's order."""
        ...

    def predict(self, images: Tensor) -> Tensor:
        """Predict the value index per attribute, int64 [B, A]; -1 means abstention."""
        ...


def verifies(network: Identity) -> TypeGuard[VerifyingIdentity]:
    """Whether it has a threshold."""
    return getattr(network, "threshold", None) is not None


def finds_landmarks(network: object) -> TypeGuard[AlignedIdentity]:
    """Whether it aligns faces."""
    return hasattr(network, "landmarks")


def gives_stages(network: Perceptual) -> TypeGuard[StagedPerceptual]:
    """Whether its distance has two steps."""
    return hasattr(network, "stages")
