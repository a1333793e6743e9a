"""What the perceptual term compares pictures with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from torch import Tensor

from textedit_bench.errors import UserError
from textedit_methods.clip2gan.losses import feature_maps_term

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.models.discriminator import Discriminator

Distance = Callable[[Tensor, Tensor], Tensor]


def perceptual_distance(domain: Domain, network: str, side: int) -> Distance:
    """A function of real and rebuilt pictures [B, 3, side, side] that gives their mean perceptual distance.

    Args:
        domain: its frozen discriminator serves ``"discriminator"``: the LPIPS formula on its maps. No judge looks
            at pictures that way, so the table's LPIPS stays out of the loop.
        network: ``"alex"`` or ``"vgg"``: LPIPS with its published calibration; or ``"discriminator"``.
        side: of the pictures.

    Raises:
        UserError: a network that is not there, or a discriminator of other pictures.
    """
    if network != "discriminator":
        return _lpips(network)
    discriminator = domain.discriminator
    if discriminator.resolution != side:
        raise UserError(
            f"perceptual_network: the discriminator of {domain.name} reads {discriminator.resolution} pixels, the loss "
            f"has {side}; valid here: alex, vgg"
        )
    return lambda real, rebuilt: feature_maps_term(
        [maps.detach() for maps in _maps(discriminator, real)], _maps(discriminator, rebuilt)
    )


def _maps(discriminator: Discriminator, images: Tensor) -> list[Tensor]:
    """The output of every residual block, fine to coarse."""
    x = discriminator.convs[0](images)
    maps = []
    for block in discriminator.convs[1:]:
        x = block(x)
        maps.append(x)
    return maps


def _lpips(network: str) -> Distance:
    import lpips

    try:
        model = lpips.LPIPS(net=network, verbose=False).eval().requires_grad_(False)
    except OSError as error:  # torchvision fetches the trunk
        raise UserError(
            f"perceptual_network {network!r}: its weights cannot be fetched ({error}); fetch them where there is a "
            "network, or set perceptual_network=discriminator or perceptual_weight=0"
        ) from error

    def distance(real: Tensor, rebuilt: Tensor) -> Tensor:
        value: Tensor = model.to(real.device)(real, rebuilt).mean()
        return value

    return distance
