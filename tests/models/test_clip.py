"""The CLIP wrapper on a tiny open_clip network."""

from __future__ import annotations

import open_clip
import pytest
import torch

from textedit_bench.models import CheckpointError, ClipModel, load_clip


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


class Holder(torch.nn.Module):
    """A module that only has a place for parameters."""

    def forward(self, x):
        return x


def openai_archive(path, model):
    """Stores a network as OpenAI does: a TorchScript archive with the official parameter names and three extras."""
    root = Holder()
    extras = {"input_resolution": 64, "context_length": 77, "vocab_size": 49408}
    for name, tensor in [*model.state_dict().items(), *((n, torch.tensor(v)) for n, v in extras.items())]:
        node = root
        *parents, leaf = name.split(".")
        for parent in parents:
            if parent not in node._modules:
                node.add_module(parent, Holder())
            node = node.get_submodule(parent)
        node.register_buffer(leaf, tensor.clone())
    torch.jit.save(torch.jit.trace(root, torch.zeros(1)), str(path))


def test_openai_archives_are_read_with_quick_gelu(tmp_path):
    torch.manual_seed(0)
    model = open_clip.CLIP(
        embed_dim=16,
        vision_cfg=open_clip.CLIPVisionCfg(layers=1, width=64, patch_size=32, image_size=64),
        text_cfg=open_clip.CLIPTextCfg(width=64, heads=1, layers=1),
        quick_gelu=True,
    ).eval()
    openai_archive(tmp_path / "weights", model)
    loaded = load_clip(tmp_path / "weights")
    reference = ClipModel(model, open_clip.SimpleTokenizer(), 64)
    images = torch.rand(1, 3, 80, 64) * 2 - 1
    with torch.no_grad():
        torch.testing.assert_close(loaded.encode_image(images), reference.encode_image(images))
        torch.testing.assert_close(loaded.encode_text(["a face"]), reference.encode_text(["a face"]))
    with pytest.raises(CheckpointError, match="ViT-B-32-quickgelu"):
        load_clip(tmp_path / "weights", architecture="ViT-B-32")


def test_the_quick_gelu_trap_and_unknown_names_are_refused(tmp_path):
    with pytest.raises(CheckpointError, match="no weights 'nonsense' for ViT-B-32"):
        load_clip("ViT-B-32:nonsense")
    with pytest.raises(CheckpointError, match="no architecture 'ViT-Z'"):
        load_clip("ViT-Z:openai")
    with pytest.raises(CheckpointError, match="ARCHITECTURE:TAG"):
        load_clip("missing.pt")
    with pytest.raises(CheckpointError, match="ViT-B-32-quickgelu:openai"):
        load_clip("ViT-B-32:openai")
    torch.save({"visual.proj": torch.zeros(2)}, tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match="does not show its activation"):
        load_clip(tmp_path / "w.pt")
