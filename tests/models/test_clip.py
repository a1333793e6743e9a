"""The CLIP wrapper on a tiny open_clip network."""

from __future__ import annotations

import open_clip
import pytest
import torch

from textedit_bench.models import ClipModel


@pytest.fixture(scope="module")
def clip() -> ClipModel:
    torch.manual_seed(0)
    model = open_clip.CLIP(
        embed_dim=20,
        vision_cfg=open_clip.CLIPVisionCfg(layers=1, width=32, head_width=16, patch_size=8, image_size=32),
        text_cfg=open_clip.CLIPTextCfg(context_length=16, vocab_size=49408, width=16, heads=2, layers=1),
    )
    return ClipModel(model, open_clip.SimpleTokenizer(context_length=16), 32, (0.4, 0.5, 0.6), (0.2, 0.3, 0.4), "tiny")


def test_embeddings_are_float32_and_not_normalised(clip):
    images, texts = clip.encode_image(torch.rand(2, 3, 64, 64) * 2 - 1), clip.encode_text(["a cat", "a dog", "a car"])
    assert images.shape == (2, 20) and texts.shape == (3, 20) and clip.embed_dim == 20
    assert images.dtype == texts.dtype == torch.float32
    assert not torch.allclose(texts.norm(dim=1), torch.ones(3), atol=1e-2)


def test_preprocessings_differ_by_mean_and_std_at_the_native_size(clip):
    images = torch.rand(1, 3, 32, 32) * 2 - 1
    published, correct = clip.prepare(images, "published"), clip.prepare(images, "correct")
    assert torch.equal(published, images)
    mean, std = torch.tensor([0.4, 0.5, 0.6]).view(3, 1, 1), torch.tensor([0.2, 0.3, 0.4]).view(3, 1, 1)
    torch.testing.assert_close(correct * std + mean, (images + 1) / 2)


def test_gradients_reach_the_picture_and_the_network_stays_in_eval_mode(clip):
    images = torch.zeros(1, 3, 64, 64, requires_grad=True)
    clip.train()
    clip.encode_image(images, "published").square().sum().backward()
    assert images.grad is not None and images.grad.abs().sum() > 0
    assert not clip.model.training


def test_unknown_preprocessing_and_wrong_shapes_are_refused(clip):
    with pytest.raises(ValueError, match="'correct', 'published'"):
        clip.encode_image(torch.zeros(1, 3, 8, 8), "imagenet")
    with pytest.raises(ValueError, match=r"\(B, 3, H, W\)"):
        clip.encode_image(torch.zeros(3, 8, 8))
