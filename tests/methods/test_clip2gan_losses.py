"""The terms of CLIP2GAN against arithmetic done by hand or by another route."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from textedit_bench.latent_mapper.training import identity_term
from textedit_bench.models.discriminator import Discriminator
from textedit_methods.clip2gan.losses import (
    DISTANCE_FLOOR,
    DIVERSITY_CEILING,
    consistency_term,
    critic_loss,
    diversity_term,
    feature_maps_term,
    gradient_penalty,
    perceptual_distance,
    reconstruction_term,
)


def test_reconstruction_is_a_mean_so_the_resolution_does_not_matter():
    assert reconstruction_term(torch.zeros(2, 3, 4, 4), torch.full((2, 3, 4, 4), 0.5)).item() == pytest.approx(0.25)
    assert reconstruction_term(torch.zeros(2, 3, 8, 8), torch.full((2, 3, 8, 8), 0.5)).item() == pytest.approx(0.25)


def test_feature_maps_by_hand():
    real = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1)
    rebuilt = torch.tensor([4.0, 3.0]).view(1, 2, 1, 1)
    one_layer = (0.6 - 0.8) ** 2 + (0.8 - 0.6) ** 2
    assert feature_maps_term([real], [rebuilt]).item() == pytest.approx(one_layer, rel=1e-5)
    assert feature_maps_term([real, real], [rebuilt, rebuilt]).item() == pytest.approx(2 * one_layer, rel=1e-5)
    assert feature_maps_term([real], [7 * real]).item() == pytest.approx(0, abs=1e-9)  # only the direction counts


def test_identity_and_consistency_are_cosine_distances():
    a, b = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    assert identity_term(a, b).item() == pytest.approx(0.5)
    assert consistency_term(5 * a, 3 * b).item() == pytest.approx(0.5)


def test_the_critic_wants_higher_answers_to_real_pictures():
    on_real, on_rebuilt = torch.tensor([[2.0], [4.0]]), torch.tensor([[1.0], [0.0]])
    assert critic_loss(on_real, on_rebuilt).item() == pytest.approx(0.5 - 3.0)


def test_penalty_of_a_linear_critic_is_known():
    weight = torch.randn(3 * 8 * 8, generator=torch.Generator().manual_seed(0))
    real, rebuilt = torch.randn(4, 3, 8, 8), torch.randn(4, 3, 8, 8)
    penalty = gradient_penalty(lambda x: x.flatten(1) @ weight, real, rebuilt, torch.rand(4))
    assert penalty.item() == pytest.approx((weight.norm().item() - 1) ** 2, rel=1e-4)


def test_penalty_is_taken_on_the_line_between_the_pictures():
    met = []

    def critic(images):
        met.append(images.detach())
        return images.square().flatten(1).sum(1)

    real, rebuilt = torch.zeros(2, 3, 4, 4), torch.ones(2, 3, 4, 4)
    gradient_penalty(critic, real, rebuilt, torch.tensor([0.25, 1.0]))
    assert met[0][0].unique().tolist() == [0.75] and met[0][1].unique().tolist() == [0.0]


def test_penalty_reaches_the_critic_and_not_the_pictures():
    critic = Discriminator(8, channels={4: 4, 8: 4}, mbstd_group=1)
    real, rebuilt = torch.randn(3, 3, 8, 8), torch.randn(3, 3, 8, 8, requires_grad=True)
    gradient_penalty(critic, real, rebuilt, torch.rand(3)).backward()
    gradients = [p.grad for name, p in critic.named_parameters() if name.endswith("weight")]
    assert all(torch.isfinite(g).all() for g in gradients if g is not None)
    assert sum(g.abs().sum() for g in gradients if g is not None) > 0
    assert rebuilt.grad is None


def test_a_critic_without_batch_statistics_judges_each_picture_alone():
    critic = Discriminator(8, channels={4: 4, 8: 4}, mbstd_group=1)
    images = torch.randn(3, 3, 8, 8)
    assert torch.allclose(critic(images)[1:2], critic(images[1:2]), atol=1e-5)


def test_diversity_falls_as_the_pictures_move_apart():
    features, noisy = torch.zeros(2, 4), torch.full((2, 4), 0.5)
    images = torch.zeros(2, 3, 4, 4)
    near, far = (diversity_term(features, noisy, images, images + by) for by in (0.1, 0.4))
    assert near.item() == pytest.approx(5.0, rel=1e-4) and far.item() == pytest.approx(1.25, rel=1e-4)


def test_diversity_reaches_both_pictures_and_stays_finite_where_they_agree():
    features, noisy = torch.zeros(1, 4), torch.full((1, 4), 0.5)
    first = torch.zeros(1, 3, 4, 4, requires_grad=True)
    second = torch.full((1, 3, 4, 4), 0.2, requires_grad=True)
    diversity_term(features, noisy, first, second).backward()
    assert first.grad.abs().sum() > 0 and second.grad.abs().sum() > 0
    same = diversity_term(features, noisy, first.detach(), first.detach())
    assert same.item() == pytest.approx(min(DIVERSITY_CEILING, 0.5 / DISTANCE_FLOOR))


def test_perceptual_distance_on_discriminator_maps_sees_blur(tiny_domain):
    domain = tiny_domain()
    torch.manual_seed(0)
    domain.made["discriminator"] = Discriminator(8, channels={4: 4, 8: 4}).eval().requires_grad_(False)
    distance = perceptual_distance(domain, "discriminator", 8)
    images = torch.randn(2, 3, 8, 8).clamp(-1, 1)
    blurred = nn.functional.avg_pool2d(images, 3, 1, 1)
    assert distance(images, images).item() == pytest.approx(0, abs=1e-6)
    assert distance(images, blurred) > 0.01
