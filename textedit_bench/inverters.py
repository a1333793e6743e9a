"""Find inverters by name: two are built in, the entry points of `GROUP` add others; invert a whole split.

An inverter is a class that takes the domain and its settings (``inversion`` on the card).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import torch
from torch import Tensor

from textedit_bench.data.pixels import to_uint8
from textedit_bench.data.reader import Skipped
from textedit_bench.errors import UserError, unknown_choice

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.models.projection import ProjectionSettings


GROUP = "textedit_bench.inverters"


class Inverter(Protocol):
    """Interface of inverters, which compute codes of photos.

    Attributes:
        roles: networks that determine the codes; their digests are part of the cache key.
        version: increased manually when codes change.
        batch_size: default batch size.
    """

    roles: ClassVar[tuple[str, ...]]
    version: ClassVar[int]
    batch_size: ClassVar[int]

    def encode(self, images: Tensor) -> Tensor:
        """Invert photos [B, 3, H, W] in [-1, 1] to W+ [B, rows, w_dim], latent average added."""
        ...


class EncoderInverter:
    """The domain's encoder (e4e, pSp or ours): one forward pass."""

    roles: ClassVar[tuple[str, ...]] = ("encoder",)
    version: ClassVar[int] = 1
    batch_size: ClassVar[int] = 8

    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    def encode(self, images: Tensor) -> Tensor:
        """See `Inverter.encode`."""
        return self._domain.network("encoder").encode(images)


class ProjectionInverter:
    """Optimisation of the codes, for domains without an encoder; settings of `ProjectionSettings`.

    The loss is a pixel distance at four scales: a perceptual network that evaluates edits must not influence
        inversions.
    """

    roles: ClassVar[tuple[str, ...]] = ("generator",)
    version: ClassVar[int] = 1
    batch_size: ClassVar[int] = 4

    def __init__(self, domain: Domain, **settings: Any) -> None:
        self._domain, self._settings = domain, _projection_settings(settings)

    def encode(self, images: Tensor) -> Tensor:
        """See `Inverter.encode`."""
        from textedit_bench.models.projection import project

        with torch.enable_grad():
            return project(self._domain.generator, images, self._settings).w_plus


def _projection_settings(given: Mapping[str, Any]) -> ProjectionSettings:
    from textedit_bench.models.projection import ProjectionSettings

    defaults = {field.name: field.default for field in fields(ProjectionSettings)}
    for name, value in given.items():
        if name not in defaults:
            raise unknown_choice("setting of inverter projection", name, defaults)
        wanted = (int, float) if isinstance(defaults[name], float) else type(defaults[name])
        if isinstance(value, bool) or not isinstance(value, wanted):
            raise UserError(f"setting {name} of inverter projection: {value!r} is no {type(defaults[name]).__name__}")
    try:
        return ProjectionSettings(**given)
    except ValueError as error:
        raise UserError(f"inverter projection: {error}") from error


BUILT_IN: dict[str, type[Any]] = {"encoder": EncoderInverter, "projection": ProjectionInverter}


def new_inverter(domain: Domain) -> Inverter:
    """Create the inverter that the domain's card names, with the card's settings.

    Raises:
        UserError: unknown or broken name, or settings it does not take.
    """
    name, settings = domain.tier_card.inverter_name, domain.tier_card.inversion
    factory: Any = BUILT_IN.get(name) or _plugin(name)
    try:
        inverter: Inverter = factory(domain, **settings)
    except TypeError as error:
        raise UserError(f"inverter {name!r} does not take the settings {dict(settings)} ({error})") from error
    return inverter


def _plugin(name: str) -> Any:
    points = {point.name: point for point in entry_points(group=GROUP)}
    if name not in points:
        raise unknown_choice("inverter", name, [*BUILT_IN, *points])
    try:
        return points[name].load()
    except Exception as error:  # a third-party module may raise anything when imported
        raise UserError(f"inverter {name!r} is broken: {points[name].value} cannot be imported ({error})") from error


BATCH = 24


@dataclass(frozen=True)
class Inverted:
    """Result of inverting a split.

    Attributes:
        asked: number of requested photos.
        photos: number of used photos; fewer if the source ended early.
        inverted: number of them that had no codes yet.
        skipped: images that were not used, with the reasons.
        folder: folder of the codes.
    """

    asked: int
    photos: int
    inverted: int
    skipped: list[Skipped]
    folder: str

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**asdict(self), "skipped": [asdict(skipped) for skipped in self.skipped]}


@torch.no_grad()
def invert_split(domain: Domain, split: str, number: int | None, tell: Callable[[str], None]) -> Inverted:
    """Invert the photos of a split that are not in the cache; can be interrupted and resumed at any point.

    Args:
        domain: a domain with real photos.
        split: the split of the photos.
        number: number of photos, from the first; None for all.
        tell: called with progress messages.

    Raises:
        UserError: the images or networks are missing, or the split has no usable photo.
        PlaceError: the codes cannot be written.
    """
    cache, photos, inverted, told = domain.inversions, 0, 0, 0
    for batch in domain.photo_batches(split, number, BATCH, partial=True):
        pixels, size = to_uint8(batch.images), domain.inverter.batch_size
        _, fresh = cache.invert(pixels, domain.encode_pixels, size, must_keep=True)
        photos += len(batch.ids)
        inverted += fresh
        if fresh and photos >= told + 10 * BATCH:
            told = photos
            tell(f"{domain.name} {split}: {photos} photos, {inverted} inverted now")
    asked = number or next(count for name, count in domain.tier_card.splits.items() if name == split)
    return Inverted(asked, photos, inverted, domain.skipped, str(cache.path))
