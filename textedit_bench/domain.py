"""A domain: one data set at one tier, with all networks for editors and metrics.

Editors use ``generator``, ``inverter``, ``clip``, ``identity``, ``discriminator``, ``parser`` (if there is one) and
`photos` of the training split.
Judges (``judge_clip``, ``judge_identity``, ``perceptual``, ``features``, ``oracle``) are for metrics only. Every
network is loaded on first use, frozen and in eval mode.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, overload

import torch

from textedit_bench.assets.locate import captions_path, missing_role, network_architecture, network_path
from textedit_bench.data.card import OPTIONAL, DatasetCard, Split, TierCard
from textedit_bench.data.inversion_cache import InversionCache
from textedit_bench.data.pixels import Pixels, to_images, to_uint8
from textedit_bench.data.reader import Skipped
from textedit_bench.devices import HIGHEST, checked_device, synthesis_in, use_precision
from textedit_bench.editor import Latents
from textedit_bench.errors import UserError, unknown_choice
from textedit_bench.files import inversions_folder
from textedit_bench.inverters import Inverter, new_inverter
from textedit_bench.models.loading import check_role, codes_fit, misfit
from textedit_bench.photos import NoPhotosError, PhotoProvider, Photos, new_provider, read_captions, say_captions
from textedit_bench.prompt import Prompt

if TYPE_CHECKING:
    from textedit_bench.models import ClipModel, Discriminator, Generator, roles
    from textedit_bench.worlds.world import World

__all__ = ["Domain", "Inverter", "Photos", "load_domain"]


class Domain:
    """One data set at one tier on one device.

    Everything is computed on a domain, so torch's precision is set here (`precision`).
    """

    def __init__(
        self, card: DatasetCard, tier: str, device: str | torch.device = "cpu", precision: str = HIGHEST
    ) -> None:
        self.card = card
        self.tier = tier
        self.tier_card: TierCard = card.tier(tier)
        self.device = checked_device(device)
        self.precision = precision
        use_precision(precision, self.device)
        self._networks: dict[str, roles.Network] = {}
        self._digests: dict[str, str] = {}

    def move(self, device: torch.device) -> None:
        """Move the networks to another device of this process, in place."""
        self.device = checked_device(device)
        for network in self._networks.values():
            network.to(self.device)

    @property
    def name(self) -> str:
        """The data set's name."""
        return self.card.name

    @property
    def resolution(self) -> int:
        """Side of the square images in pixels."""
        return self.tier_card.resolution

    def path(self, role: str) -> Path:
        """Return the file of a network's role.

        Raises:
            UserError: the tier has no such network, or its file is missing.
        """
        where = self.tier_card.networks.get(role)
        if where is None:
            raise UserError(f"data set {self.name} has no network for the role {role!r} in tier {self.tier}")
        path = network_path(self.card, where)
        if path.is_dir() and role not in ("clip", "judge_clip"):  # these may be folders too
            from textedit_bench.models.torch_files import torch_file_kind

            torch_file_kind(path)  # describes the folder
        if not path.is_file():
            raise UserError(f"data set {self.name}, tier {self.tier}: missing {missing_role(self.card, role, where)}")
        return path

    def has(self, role: str) -> bool:
        """Whether the tier names a network for this role, and, if a tier works without it, whether its file exists."""
        named = self.tier_card.networks.get(role)
        return named is not None and (role not in OPTIONAL or network_path(self.card, named).is_file())

    def digest(self, role: str) -> str:
        """Return the first 16 hex digits of the SHA-256 of the role's weights file, computed once."""
        if role not in self._digests:
            with self.path(role).open("rb") as file:
                self._digests[role] = hashlib.file_digest(file, "sha256").hexdigest()[:16]
        return self._digests[role]

    @overload
    def network(self, role: Literal["generator"]) -> Generator: ...
    @overload
    def network(self, role: Literal["discriminator"]) -> Discriminator: ...
    @overload
    def network(self, role: Literal["encoder"]) -> roles.Encoder: ...
    @overload
    def network(self, role: roles.ClipRole) -> ClipModel: ...
    @overload
    def network(self, role: roles.IdentityRole) -> roles.Identity: ...
    @overload
    def network(self, role: Literal["parser"]) -> roles.Parser: ...
    @overload
    def network(self, role: Literal["perceptual"]) -> roles.Perceptual: ...
    @overload
    def network(self, role: Literal["features"]) -> roles.Features: ...
    @overload
    def network(self, role: roles.OracleRole) -> roles.Oracle: ...
    @overload
    def network(self, role: str) -> roles.Network: ...
    def network(self, role: str) -> roles.Network:
        """The frozen network of a role, loaded once."""
        if role not in self._networks:
            from textedit_bench import models
            from textedit_bench.models import loading

            clip = partial(
                models.load_clip, architecture=network_architecture(self.card, self.tier_card.networks.get(role, ""))
            )
            loaders: dict[str, Callable[[Path], roles.Network]] = {
                "generator": lambda path: synthesis_in(models.load_generator(path), self.precision),
                "discriminator": models.load_discriminator,
                "encoder": models.load_encoder,
                "clip": clip,
                "judge_clip": clip,
                "identity": models.load_identity,
                "parser": models.load_parser,
                "judge_identity": loading.load_judge_identity,
                "perceptual": loading.load_perceptual,
                "features": loading.load_features,
            }
            with torch.random.fork_rng(devices=[]):  # building draws random numbers, which must not affect the caller's
                network = loaders.get(role, loading.load_own)(self.path(role))
            check_role(network, role, self.resolution, self.path(role))
            self._networks[role] = network.to(self.device).eval().requires_grad_(False)
        return self._networks[role]

    @cached_property
    def world(self) -> World | None:
        """The procedural world that rendered the photos, or None for real ones."""
        from textedit_bench.worlds.world import load_world

        return load_world(self.card, self.tier)

    @property
    def generator(self) -> Generator:
        """The StyleGAN2 generator."""
        return self.network("generator")

    @property
    def discriminator(self) -> Discriminator:
        """Its discriminator, for methods that use one in training."""
        return self.network("discriminator")

    @cached_property
    def inverter(self) -> Inverter:
        """The inverter of photos: the encoder, or the one that the card names."""
        return new_inverter(self)

    @property
    def inverter_identity(self) -> dict[str, Any]:
        """Everything that determines the codes of a photo, as plain JSON values: inverter, settings, networks."""
        return {
            "inverter": self.tier_card.inverter_name,
            "inverter_version": self.inverter.version,
            "settings": dict(self.tier_card.inversion),
            "networks": {role: self.digest(role) for role in self.inverter.roles},
        }

    @cached_property
    def inversions(self) -> InversionCache:
        """Cache of the codes of real photos on this machine."""
        shape = (self.generator.num_rows, self.generator.w_dim)
        return InversionCache(inversions_folder(), self.inverter_identity, shape)

    @property
    def clip(self) -> ClipModel:
        """The guiding CLIP, which methods may use."""
        return self.network("clip")

    @property
    def identity(self) -> roles.Identity:
        """The guiding identity (or structure) network."""
        return self.network("identity")

    @cached_property
    def _provider(self) -> PhotoProvider:
        return new_provider(self)

    @property
    def skipped(self) -> list[Skipped]:
        """Unusable images of the source found so far, with the reasons."""
        return self._provider.skipped

    def photos(self, split: str, n: int | None = None, start: int = 0) -> Photos:
        """Return photos ``start .. start + n`` of a split; all remaining ones if ``n`` is None.

        Unusable images of a source do not count. Continuing where the last call stopped is cheap.

        Raises:
            UserError: the split is unknown or has fewer photos, or the image source is missing.
        """
        known, n = self._range(split, n, start)
        return self._provider.photos(known, n, start)

    def photo_batches(
        self, split: str, n: int | None = None, batch_size: int = 24, *, partial: bool = False
    ) -> Iterator[Photos]:
        """Iterate over the first ``n`` photos of a split in batches, to bound memory; errors as in `photos`.

        Args:
            partial: end without an error if the source has fewer photos than requested.
        """
        known, n = self._range(split, n, 0)
        for start in range(0, n, batch_size):
            wanted = min(batch_size, n - start)
            photos = self._provider.photos(known, wanted, start, partial=partial)
            if photos.ids:
                yield photos
            if len(photos.ids) < wanted:
                return

    def captions(self, photos: Photos) -> list[tuple[str, ...]]:
        """Return captions of photos of the train split, at least one each, for methods that learn from both.

        In the mini tier the world's grammar says what its renderer drew, in the words that training may use and the
        same at every call; elsewhere texts come from the folder that the card names.

        Raises:
            UserError: photos of another split of a world, whose truth no method may see; a card without captions; a
                photo without any.
        """
        if self.world is not None:
            return say_captions(self.world, photos)
        source = self.tier_card.source
        folder = captions_path(self.card, source) if source is not None else None
        if folder is None:
            raise UserError(
                f"captions: data set {self.name}, tier {self.tier}, has none; name their folder in its card "
                f"(tiers: {self.tier}: source: captions)"
            )
        return [read_captions(folder, name) for name in photos.ids]

    def _range(self, split: str, n: int | None, start: int) -> tuple[Split, int]:
        splits = self.tier_card.splits
        known = next((name for name in splits if name == split), None)
        if known is None:
            raise unknown_choice("split", split, splits)
        n = splits[known] - start if n is None else n
        if not splits[known]:
            raise NoPhotosError(f"split {split} of {self.name} has no images: the splits before it use all of them")
        if start + n > splits[known]:
            raise UserError(f"split {split} of {self.name} has {splits[known]} images; {start + n} were asked for")
        return known, n

    @torch.no_grad()
    def invert(self, photos: Photos, batch_size: int = 64) -> Latents:
        """Return W+ codes of photos: their own if they were made from codes, else those of the inverter.

        Codes of real photos are cached on this machine (`inversions`); renders are inverted again, which is faster than
        a lookup.
        """
        if photos.codes is not None:
            codes = photos.codes
        elif self.tier_card.source is not None:
            found, _ = self.inversions.invert(to_uint8(photos.images), self.encode_pixels, self.inverter.batch_size)
            codes = found.to(self.device)
        else:
            codes = torch.cat([self._encode(part) for part in photos.images.split(batch_size)])
        return Latents(codes, "w+", images=photos.images, ids=photos.ids)

    def encode_pixels(self, pixels: Pixels) -> torch.Tensor:
        """Compute W+ codes of 8-bit photos [N, H, W, 3], without the cache."""
        return self._encode(to_images(pixels, self.device))

    def _encode(self, images: torch.Tensor) -> torch.Tensor:
        codes = self.inverter.encode(images)
        if not codes_fit(codes, self.generator):
            inverter = self.tier_card.inverter_name
            name = str(self.path("encoder")) if inverter == "encoder" else f"inverter {inverter}"
            raise misfit(codes, self.generator, name, self.path("generator"))
        return codes

    def prompts(self, split: str = "evaluation", *, trained: bool | None = None) -> dict[str, Prompt]:
        """Return prompts of a split, id -> prompt; ``trained`` selects those inside or outside training lists.

        The split ``train`` holds only prompts that no bench uses; what methods train on is `training_prompts`.

        Raises:
            UserError: unknown split.
        """
        if split not in get_args(Split):
            raise unknown_choice("split of prompts", split, get_args(Split))
        chosen = [p for p in self.tier_card.prompts if p.split == split and trained in (None, p.trained)]
        return {p.id: p.prompt() for p in chosen}

    def training_prompts(self) -> list[Prompt]:
        """Return the prompts that methods train on: the split ``train`` and those of other splits marked as trained.

        Tables list results of the latter under "trained prompts".
        """
        return [card.prompt() for card in self.tier_card.prompts if card.trained or card.split == "train"]


def load_domain(
    dataset: str, tier: str = "mini", device: str | torch.device = "cpu", source: str | None = None
) -> Domain:
    """Load the domain of a data set's name, alias or card file.

    Args:
        dataset: ``"ffhq"``, ``"lsun_cat"``, or a path to a card.
        tier: ``"mini"``, ``"full"`` or ``"auto"``.
        device: device of the networks.
        source: photos from elsewhere: ``"samples"`` of the generator, or the path of a folder, zip, LMDB or file of
            codes.

    Raises:
        UserError: unknown data set or tier, or a missing source.
    """
    from textedit_bench.registry import load_dataset, resolve_tier

    card = load_dataset(dataset)
    if source is not None:
        card = card.with_source(source)
    return Domain(card, resolve_tier(card, tier), device)
