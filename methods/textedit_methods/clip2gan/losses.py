"""The terms of the CLIP2GAN loss, unweighted scalars, and the networks they use.

Source: arXiv 2211.15045. The identity term and the adversarial one (WGAN-GP) are named there; no weight is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from textedit_bench.errors import UserError
from textedit_bench.latent_mapper.training import clip_term
from textedit_bench.models.discriminator import Discriminator

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

Distance = Callable[[Tensor, Tensor], Tensor]

DISTANCE_FLOOR = 1e-3
"""Smallest image distance that the diversity term divides by: its gradient grows with the inverse square."""
DIVERSITY_CEILING = 10.0
"""Largest value of the diversity term per picture; beyond it no gradient flows."""


def reconstruction_term(real: Tensor, rebuilt: Tensor) -> Tensor:
    """Compute the mean squared difference over batch, channels and pixels (independent of the resolution)."""
    return (real - rebuilt).square().mean()


def consistency_term(features: Tensor, seen: Tensor) -> Tensor:
    """Compute the mean of one minus the cosine of features [B, d] and those of their generated pictures (ours)."""
    return clip_term(features.detach(), seen)


def diversity_term(features: Tensor, noisy_features: Tensor, images: Tensor, noisy_images: Tensor) -> Tensor:
    """Compute the L1 distance of features over that of pictures under two noise draws, mean over the batch.

    The distance is taken between the two generated pictures. The formula as printed has the INPUT photo in the place of
    the first; that ratio also falls when the photo is rebuilt badly, which fights the reconstruction.

    Args:
        features: [B, d], as the mapping network reads them.
        noisy_features: the same with noise.
        images: G(M(features)) [B, 3, H, W].
        noisy_images: G(M(noisy_features)).
    """
    moved = (features - noisy_features).abs().mean(dim=1)
    distance = (images - noisy_images).abs().flatten(1).mean(dim=1)
    return (moved / distance.clamp(min=DISTANCE_FLOOR)).clamp(max=DIVERSITY_CEILING).mean()


# -- the critic ------------------------------------------------------------------------------------------------------
def make_critic(domain: Domain, side: int, seed: int) -> Discriminator:
    """Create a StyleGAN2 discriminator of pictures of ``side`` pixels, without minibatch statistics.

    The gradient penalty is defined picture by picture, so each picture is its own group. Where the domain has a
    discriminator of this size the critic starts from its weights (ours): a short training has no time to teach one.
    """
    if domain.has("discriminator") and domain.discriminator.resolution == side:
        critic = Discriminator.from_config({**domain.discriminator.config, "mbstd_group": 1})
        critic.load_state_dict(domain.discriminator.state_dict())
        return critic
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Discriminator(side, mbstd_group=1)


def critic_loss(on_real: Tensor, on_rebuilt: Tensor) -> Tensor:
    """Compute the critic's loss without penalty: mean logit [B, 1] of reconstructions minus that of real pictures."""
    return on_rebuilt.mean() - on_real.mean()


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, rebuilt: Tensor, share: Tensor) -> Tensor:
    """Compute the mean squared deviation from 1 of the critic's gradient norm between real and rebuilt pictures.

    Args:
        critic: pictures -> answers, without statistics over the batch: the gradient is taken picture by picture.
        real: [B, 3, H, W].
        rebuilt: [B, 3, H, W].
        share: where on the line, [B] in [0, 1].

    Source: Gulrajani et al. 2017 (WGAN-GP), equation 3.
    """
    mix = share.view(-1, 1, 1, 1)
    between = (mix * real.detach() + (1 - mix) * rebuilt.detach()).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


# -- the perceptual term ---------------------------------------------------------------------------------------------
def perceptual_distance(domain: Domain, network: str, side: int) -> Distance:
    """Return a function of real and rebuilt pictures [B, 3, side, side] for their mean perceptual distance.

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

    def maps(images: Tensor) -> list[Tensor]:
        """The output of every residual block, fine to coarse."""
        found = [discriminator.convs[0](images)]
        for block in discriminator.convs[1:]:
            found.append(block(found[-1]))
        return found[1:]

    return lambda real, rebuilt: feature_maps_term([block.detach() for block in maps(real)], maps(rebuilt))


def feature_maps_term(real: Sequence[Tensor], rebuilt: Sequence[Tensor]) -> Tensor:
    """Compute an LPIPS-like distance of feature maps [B, C, H, W], one per layer.

    Channels have unit length at every place; squared distances are averaged over places and batch, summed over layers.

    Source: Zhang et al. 2018 (LPIPS), equation 1, with unit channel weights.
    """
    layers = [(_unit(a) - _unit(b)).square().sum(dim=1).mean() for a, b in zip(real, rebuilt, strict=True)]
    return torch.stack(layers).sum()


def _unit(maps: Tensor) -> Tensor:
    return maps / (maps.square().sum(dim=1, keepdim=True) + 1e-10).sqrt()


def _lpips(network: str) -> Distance:
    import lpips

    try:
        model = lpips.LPIPS(net=network, verbose=False).eval().requires_grad_(False)
    except OSError as error:  # torchvision fetches the trunk
        raise UserError(
            f"perceptual_network {network!r}: its weights cannot be fetched ({error}); fetch them where there is a "
            "network, or set perceptual_network=discriminator or perceptual_weight=0"
        ) from error
    return lambda real, rebuilt: model.to(real.device)(real, rebuilt).mean()
