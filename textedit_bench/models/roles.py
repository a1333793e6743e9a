"""What a network of each role offers where several classes can play it: published ones, those of a world, anyone's own.

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
    """The part of `torch.nn.Module` that loading needs."""

    def to(self, device: torch.device, /) -> Self:
        """Move it to a device."""
        ...

    def eval(self) -> Self:
        """Switch dropout and the updates of batch statistics off."""
        ...

    def requires_grad_(self, requires_grad: bool = ..., /) -> Self:
        """Freeze its parameters, or free them."""
        ...


class Encoder(Network, Protocol):
    """Turns photos into codes."""

    def encode(self, images: Tensor) -> Tensor:
        """Photos [B, 3, H, W] in [-1, 1] -> W+ [B, rows, w_dim], latent average added."""
        ...


class Identity(Network, Protocol):
    """Tells subjects apart."""

    def embed(self, images: Tensor) -> Tensor:
        """Pictures [B, 3, H, W] in [-1, 1] -> unit vectors [B, d]; nan if no face was found."""
        ...


class VerifyingIdentity(Identity, Protocol):
    """Knows the cosine from which two embeddings count as one subject's."""

    @property
    def threshold(self) -> float:
        """In [-1, 1]."""
        ...


class AlignedIdentity(Network, Protocol):
    """Aligns faces by landmarks, its own or those of another picture."""

    def landmarks(self, images: Tensor) -> Tensor:
        """Five points [B, 5, 2] of each face, in pixels; nan if there is none."""
        ...

    def shows_face(self, images: Tensor) -> Tensor:
        """Bool [B]: whether there is a face; far cheaper than its landmarks."""
        ...

    def embed(self, images: Tensor, points: Tensor | None = None) -> Tensor:
        """As `Identity.embed`, aligned by ``points`` where given."""
        ...


class Perceptual(Network, Protocol):
    """A distance of pictures."""

    def __call__(self, a: Tensor, b: Tensor, keep: Tensor | None = None, /) -> Tensor:
        """Distances [B] of pictures [B, 3, H, W] in [-1, 1]; ``keep`` [B, H, W], bool, restricts them to its pixels."""
        ...


class StagedPerceptual(Perceptual, Protocol):
    """A distance in two halves, so that a picture that is compared often is seen once."""

    def stages(self, images: Tensor) -> list[Tensor]:
        """Whatever `compare` needs of pictures [B, 3, H, W]."""
        ...

    def compare(self, first: Sequence[Tensor], second: Sequence[Tensor], keep: Tensor | None = None) -> Tensor:
        """Distances [B] from the stages of two batches."""
        ...


class Features(Network, Protocol):
    """Features for set metrics."""

    def __call__(self, images: Tensor, /) -> Tensor:
        """Pictures [B, 3, H, W] in [-1, 1] -> features [B, d]."""
        ...


class Oracle(Network, Protocol):
    """Reads the attributes of a world off pictures."""

    @property
    def attributes(self) -> Sequence[str]:
        """Their names, in the world's order."""
        ...

    def predict(self, images: Tensor) -> Tensor:
        """Value index per attribute, int64 [B, A]; -1 where it abstains."""
        ...


def verifies(network: Identity) -> TypeGuard[VerifyingIdentity]:
    """Whether it has a threshold."""
    return getattr(network, "threshold", None) is not None


def finds_landmarks(network: object) -> TypeGuard[AlignedIdentity]:
    """Whether it aligns faces."""
    return hasattr(network, "landmarks")


def gives_stages(network: Perceptual) -> TypeGuard[StagedPerceptual]:
    """Whether its distance comes in two halves."""
    return hasattr(network, "stages")
