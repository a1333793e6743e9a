"""A domain: one data set at one tier, with every network an editor or a judge may ask for.

Editors use ``generator``, ``inverter``, ``clip``, ``identity``, ``discriminator`` and `photos` of the training split.
Judges (``judge_clip``, ``judge_identity``, ``perceptual``, ``features``, ``oracle``) are for metrics alone. Every
network is loaded when it is first asked for, is frozen and in eval mode.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from textedit_bench.data.card import DatasetCard, TierCard
from textedit_bench.editor import Latents
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt

if TYPE_CHECKING:
    from textedit_bench.worlds.factors import Factors
    from textedit_bench.worlds.world import World


class Inverter(Protocol):
    """Anything that turns photos into codes."""

    def encode(self, images: Tensor) -> Tensor:
        """Photos [B, 3, H, W] in [-1, 1] -> W+ [B, rows, w_dim], latent average added."""
        ...


@dataclass(frozen=True)
class Photos:
    """A named set of photos, in order.

    Attributes:
        images: [N, 3, H, W] float32 in [-1, 1].
        ids: one stable name per image.
        factors: what the renderer drew, in the mini tier; None where the truth is unknown.
    """

    images: Tensor
    ids: tuple[str, ...]
    factors: Factors | None = None


class Domain:
    """One data set at one tier on one device."""

    def __init__(self, card: DatasetCard, tier: str, device: str | torch.device = "cpu") -> None:
        self.card = card
        self.tier = tier
        self.tier_card: TierCard = card.tier(tier)
        self.device = torch.device(device)
        self._networks: dict[str, Any] = {}
        self._digests: dict[str, str] = {}

    @property
    def name(self) -> str:
        """The data set's name."""
        return self.card.name

    @property
    def resolution(self) -> int:
        """Side of the square images in pixels."""
        return self.tier_card.resolution

    def path(self, role: str) -> Path:
        """The file of a network's role.

        Raises:
            UserError: the tier has no such network, or its file is not there.
        """
        where = self.tier_card.networks.get(role)
        if where is None:
            raise UserError(f"data set {self.name} has no network for the role {role!r} in tier {self.tier}")
        base = self.card.path.parent if self.card.path else Path()
        path = base / where
        if not path.is_file():
            raise UserError(f"data set {self.name}, tier {self.tier}: {role} is missing; expected the file {path}")
        return path

    def has(self, role: str) -> bool:
        """Whether the tier names a network for this role."""
        return role in self.tier_card.networks

    def digest(self, role: str) -> str:
        """First 16 hex digits of the SHA-256 of the role's weights file, read once."""
        if role not in self._digests:
            with self.path(role).open("rb") as file:
                self._digests[role] = hashlib.file_digest(file, "sha256").hexdigest()[:16]
        return self._digests[role]

    def network(self, role: str) -> Any:
        """The frozen network of a role, loaded once."""
        if role not in self._networks:
            from textedit_bench import models
            from textedit_bench.models.loading import load_own

            loaders: dict[str, Callable[[Path], Any]] = {
                "generator": models.load_generator,
                "discriminator": models.load_discriminator,
                "encoder": models.load_encoder,
                "clip": models.load_clip,
                "judge_clip": models.load_clip,
                "identity": models.load_identity,
                "judge_identity": models.load_identity,
            }
            load = loaders.get(role, load_own)
            self._networks[role] = load(self.path(role)).to(self.device).eval().requires_grad_(False)
        return self._networks[role]

    @cached_property
    def world(self) -> World | None:
        """The procedural world behind the photos, or None for real ones."""
        if self.tier_card.world is None:
            return None
        module, _, name = self.tier_card.world.partition(":")
        world: World = getattr(import_module(module), name)()
        return world

    @property
    def generator(self) -> Any:
        """The StyleGAN2 generator."""
        return self.network("generator")

    @property
    def discriminator(self) -> Any:
        """Its discriminator, for methods that train against one."""
        return self.network("discriminator")

    @property
    def inverter(self) -> Inverter:
        """The encoder that inverts photos."""
        inverter: Inverter = self.network("encoder")
        return inverter

    @property
    def clip(self) -> Any:
        """The guiding CLIP: the one methods may see."""
        return self.network("clip")

    @property
    def identity(self) -> Any:
        """The guiding identity (or structure) network."""
        return self.network("identity")

    def photos(self, split: str, n: int | None = None, start: int = 0) -> Photos:
        """Photos ``start .. start + n`` of a split; all the rest where ``n`` is None.

        Raises:
            UserError: the split is unknown or has fewer photos.
        """
        from textedit_bench.errors import unknown_choice

        splits = {str(name): count for name, count in self.tier_card.splits.items()}
        if split not in splits:
            raise unknown_choice("split", split, splits)
        total = splits[split]
        n = total - start if n is None else n
        if start + n > total:
            raise UserError(f"split {split} of {self.name} has {total} images; {start + n} were asked for")
        if self.world is None:
            raise UserError(f"data set {self.name}, tier {self.tier}: no image source is configured")
        factors = self.world.split_factors(split, range(start, start + n))
        images = self.world.render(factors).images.to(self.device)
        return Photos(images, tuple(f"{split}-{i:05d}" for i in range(start, start + n)), factors)

    @torch.no_grad()
    def invert(self, photos: Photos, batch_size: int = 64) -> Latents:
        """W+ codes of photos through the domain's encoder."""
        codes = [self.inverter.encode(part) for part in photos.images.split(batch_size)]
        return Latents(torch.cat(codes), "w+", images=photos.images, ids=photos.ids)

    def prompts(self, split: str = "evaluation", *, trained: bool | None = None) -> dict[str, Prompt]:
        """Prompts of a split, id -> prompt; ``trained`` keeps those inside or outside the methods' training lists."""
        chosen = [p for p in self.tier_card.prompts if p.split == split and trained in (None, p.trained)]
        return {p.id: p.prompt() for p in chosen}


def load_domain(dataset: str, tier: str = "mini", device: str | torch.device = "cpu") -> Domain:
    """The domain of a data set's name, alias or card file.

    Args:
        dataset: ``"ffhq"``, ``"lsun_cat"``, or a path to a card.
        tier: ``"mini"``, ``"full"`` or ``"auto"``.
        device: where the networks live.

    Raises:
        UserError: unknown data set or tier.
    """
    from textedit_bench.registry import load_dataset, resolve_tier

    card = load_dataset(dataset)
    return Domain(card, resolve_tier(card, tier), device)
