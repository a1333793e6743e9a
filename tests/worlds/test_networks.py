"""Shapes, ranges and the few properties that others rely on."""

from __future__ import annotations

import pytest
import torch

from textedit_bench.worlds.networks.clip import TEXT, VISION, WorldClip, encode_short_text, merges_for
from textedit_bench.worlds.networks.identity import CONFIGS as IDENTITIES
from textedit_bench.worlds.networks.identity import IdentityNetwork, verification
from textedit_bench.worlds.networks.oracle import CONFIGS as ORACLES
from textedit_bench.worlds.networks.oracle import Oracle
from textedit_bench.worlds.networks.trunk import FEATURES, PERCEPTUAL, FeatureNetwork, PerceptualDistance
from textedit_workshop.worlds.training.augment import augment, blur, degrade


def _images(count: int = 3, side: int = 64) -> torch.Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("part", ["guide", "judge"])
def test_clip_embeds_pictures_and_any_text_in_one_space(part: str) -> None:
    torch.manual_seed(0)
    clip = WorldClip("tiny", VISION[part], TEXT[part], merges_for(["face", "hair"]), 16).eval()
    with torch.no_grad():
        assert clip.encode_image(_images()).shape == (3, 16)
        texts = ["a face with hair", "κόσμος 漢字", "", "hair " * 30]  # the last one is as long as can be
        full = clip.encode_text(texts)
        assert full.shape == (4, 16)
        short = encode_short_text(clip.model, clip.tokenizer(texts))
        torch.testing.assert_close(short, full, atol=1e-5, rtol=1e-4)
        both = [clip.encode_image(_images(), preprocessing=p) for p in ("correct", "published")]
        torch.testing.assert_close(*both)
        again = WorldClip.from_config(clip.config)
        again.load_state_dict(clip.state_dict())
        torch.testing.assert_close(again.eval().encode_text(texts), full)


def test_guide_and_judge_differ_in_architecture() -> None:
    merges = merges_for(["face"])
    guide, judge = (WorldClip(p, VISION[p], TEXT[p], merges, 16) for p in ("guide", "judge"))
    assert {n for n, _ in guide.model.visual.named_parameters()}.isdisjoint(
        n for n, _ in judge.model.visual.named_parameters()
    )
    for configs in (IDENTITIES, ORACLES):
        assert len({c["style"] for c in configs.values()}) == 2
    assert PERCEPTUAL["style"] != FEATURES["style"]


@pytest.mark.parametrize("role", list(IDENTITIES))
@pytest.mark.parametrize("side", [64, 128])
def test_identity_embeds_unit_vectors_at_any_side(role: str, side: int) -> None:
    torch.manual_seed(0)
    network = IdentityNetwork(**IDENTITIES[role]).eval()
    images = _images(side=side).requires_grad_(True)
    vectors = network.embed(images)
    assert vectors.shape == (3, 128)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(3))
    vectors[:, 0].sum().backward()
    gradient = images.grad
    assert gradient is not None
    assert gradient.abs().sum() > 0
    margin = side // 8
    assert gradient[..., :margin].abs().sum() == 0, "the crop leaves the picture's rim out"


def test_the_identity_threshold_is_part_of_the_weights() -> None:
    network = IdentityNetwork("plain", [4, 4, 4, 4])
    network.threshold_value.fill_(0.25)
    other = IdentityNetwork.from_config(network.config)
    other.load_state_dict(network.state_dict())
    assert other.threshold == 0.25


def test_verification_counts_pairs_at_one_percent() -> None:
    generator = torch.Generator().manual_seed(0)
    people = torch.nn.functional.normalize(torch.randn(40, 8, generator=generator), dim=1)
    subjects = torch.arange(40).repeat_interleave(5)
    noisy = people[subjects] + 0.05 * torch.randn(200, 8, generator=generator)
    vectors = torch.nn.functional.normalize(noisy, dim=1)
    threshold, accepted = verification(vectors, subjects)
    impostors = [float(vectors[i] @ vectors[j]) for i in range(200) for j in range(i) if subjects[i] != subjects[j]]
    share = sum(c >= threshold for c in impostors) / len(impostors)
    assert share == pytest.approx(0.01, abs=2 / len(impostors))
    assert accepted > 0.95
    mixed = subjects[torch.randperm(200, generator=generator)]
    assert verification(vectors, mixed)[1] < 0.1


@pytest.mark.parametrize("role", list(ORACLES))
def test_the_oracle_predicts_values_and_abstains_when_unsure(role: str) -> None:
    torch.manual_seed(0)
    oracle = Oracle(**ORACLES[role], attributes=[("hat", 2), ("hair", 5)]).eval()
    head = oracle.heads[-1]
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(torch.tensor([3.0, 0.0, 0.1, 0.0, 0.0, 0.0, 0.0]))
    guesses = oracle.predict(_images())
    assert guesses.dtype == torch.int64
    assert guesses.tolist() == [[0, -1]] * 3
    assert oracle.attributes == ("hat", "hair")


def test_perceptual_distance_is_zero_for_equal_pictures_symmetric_and_grows() -> None:
    torch.manual_seed(0)
    network = PerceptualDistance(**PERCEPTUAL).eval()
    a = _images()
    noise = torch.randn(a.shape, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert (network(a, a) == 0).all()
        near, far = network(a, a + 0.02 * noise), network(a, a + 0.3 * noise)
        assert near.shape == (3,)
        assert (near < far).all()
        torch.testing.assert_close(network(a, a + noise), network(a + noise, a))


def test_perceptual_distance_is_the_published_formula_with_equal_weights() -> None:
    torch.manual_seed(0)
    network = PerceptualDistance("residual", [4, 6]).eval()
    a, b = _images(1), _images(2)[1:]
    with torch.no_grad():
        total = 0.0
        for x, y in zip(network.trunk(a), network.trunk(b), strict=True):
            x, y = (torch.nn.functional.normalize(m[0], dim=0) for m in (x, y))
            total += float(((x - y) ** 2).sum(0).mean())
        assert float(network(a, b)) == pytest.approx(total / 2, rel=1e-4)


def test_features_have_the_announced_width() -> None:
    network = FeatureNetwork(**FEATURES).eval()
    with torch.no_grad():
        features = network(_images())
    assert features.shape == (3, network.dim)
    assert features.dtype == torch.float32


def test_degradations_keep_shape_and_range_and_repeat_with_their_seed() -> None:
    images = _images(8)
    for change in (augment, degrade):
        first, second = (change(images, torch.Generator().manual_seed(4)) for _ in range(2))
        assert torch.equal(first, second)
        assert first.shape == images.shape
        assert float(first.abs().max()) <= 1.0
        assert not torch.equal(first, images)
    flat = torch.full((2, 3, 16, 16), 0.3)
    torch.testing.assert_close(blur(flat, 0.8), flat)
