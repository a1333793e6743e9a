"""The critic that CLIP2GAN is trained against."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from textedit_bench.models.discriminator import Discriminator

if TYPE_CHECKING:
    from textedit_bench.domain import Domain


def make_critic(domain: Domain, side: int, seed: int) -> Discriminator:
    """A StyleGAN2 discriminator of pictures of ``side`` pixels, without statistics over the batch.

    The gradient penalty is defined picture by picture, so each picture is its own group. Where the domain has a
    discriminator of this size the critic starts from its weights (ours): a short training has no time to teach one.
    """
    if domain.has("discriminator") and domain.discriminator.resolution == side:
        given = domain.discriminator
        critic = Discriminator.from_config({**given.config, "mbstd_group": 1})
        critic.load_state_dict(given.state_dict())
        return critic
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Discriminator(side, mbstd_group=1)
