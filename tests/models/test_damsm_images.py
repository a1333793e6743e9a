"""DAMSM's image encoder and losses give the numbers of the published code, VGG-16 those of torchvision's layers."""

from __future__ import annotations

import pytest
import torch

from textedit_bench.errors import UserError
from textedit_bench.models.damsm_image import load_image_encoder
from textedit_bench.models.damsm_losses import (
    condition_divergence,
    matching_losses,
    sentence_similarity,
    word_similarity,
)
from textedit_bench.models.vgg import VggFeatures

DEPTHS = {
    "stem": "Conv2d_4a_3x3",
    "mixed_5b": "Mixed_5b",
    "mixed_5d": "Mixed_5d",
    "mixed_6a": "Mixed_6a",
    "mixed_6e": "Mixed_6e",
    "mixed_7a": "Mixed_7a",
    "mixed_7c": "Mixed_7c",
}


@pytest.mark.parametrize("corners", [False, True])
def test_the_image_encoder_and_its_depths(parity, tmp_path, corners):
    published = parity("damsm_image")
    torch.save({f"module.{name}": value for name, value in published.state().items()}, tmp_path / "image_encoder.pth")
    network = load_image_encoder(tmp_path / "image_encoder.pth")
    network.corners = corners
    seen = {}
    for name, module in DEPTHS.items():
        network.get_submodule(module).register_forward_hook(lambda *given, name=name: seen.update({name: given[2]}))
    regions, code = network(published.input("image"))
    end = "_corners" if corners else ""
    published.check(f"features{end}", regions)
    published.check(f"code{end}", code)
    for name, value in seen.items():
        if name == "stem" or not corners:
            published.check(f"{name}{end if name == 'stem' else ''}", value)


@pytest.mark.parametrize("classes", [False, True])
def test_the_losses_and_their_gradients(parity, classes):
    published = parity("damsm_losses")
    names = ("region_features", "word_embs", "cnn_code", "sent_emb")
    regions, words, code, sentence = (published.input(name).requires_grad_() for name in names)
    config = published.manifest["config"]
    hidden = torch.arange(words.shape[2]) >= torch.tensor(config["lens"])[:, None]
    ids = torch.tensor(config["class_ids"]) if classes else None
    similarity, attention = word_similarity(regions, words, hidden)
    losses = (*matching_losses(similarity, ids), *matching_losses(sentence_similarity(code, sentence), ids))
    end = "_classes" if classes else ""
    for name, loss in zip(("words0", "words1", "sent0", "sent1"), losses, strict=True):
        published.check(f"{name}{end}", loss[None])
    if not classes:
        published.check("attention_0", attention[:1, 0])
        sum(losses).backward()
        published.check("grad_region", regions.grad)
        published.check("grad_code", code.grad)


def test_a_text_without_padding_needs_no_mask(parity):
    published = parity("damsm_losses")
    regions, words = published.input("region_features"), published.input("word_embs")
    none = torch.zeros(words.shape[0], words.shape[2], dtype=torch.bool)
    assert torch.equal(word_similarity(regions, words)[0], word_similarity(regions, words, none)[0])


def test_the_divergence_of_conditions(parity):
    published = parity("damsm_losses")
    published.check("kl", condition_divergence(published.input("mu"), published.input("logvar"))[None])


@pytest.mark.parametrize(("block", "conv", "end"), [(2, 2, 9), (4, 3, 23)])
def test_vgg_is_torchvisions_as_far_as_it_goes(tmp_path, block, conv, end):
    from torchvision.models import vgg16

    torch.manual_seed(0)
    whole = vgg16(weights=None)
    names = {name: f"any.{name}" for name in whole.state_dict()}
    torch.save({names[name]: value for name, value in whole.state_dict().items()}, tmp_path / "vgg.pth")
    part = VggFeatures(block, conv).read(tmp_path / "vgg.pth")
    image = torch.randn(1, 3, 32, 32)
    torch.testing.assert_close(part(image), whole.features[:end](image))
    assert not any(value.requires_grad for value in part.parameters())


@pytest.mark.parametrize(
    "state", [{"a": torch.zeros(64, 3, 3, 3)}, {"a": torch.zeros(64, 3, 3, 3), "b": torch.zeros(3)}, {"a": 1}]
)
def test_another_network_is_no_vgg(tmp_path, state):
    torch.save(state, tmp_path / "b.pth")
    with pytest.raises(UserError, match=r"b\.pth: no VGG-16"):
        VggFeatures(1, 1).read(tmp_path / "b.pth")


def test_another_network_is_no_image_encoder(tmp_path):
    torch.save({"a": torch.zeros(2)}, tmp_path / "b.pth")
    with pytest.raises(UserError, match=r"b\.pth: emb_cnn_code\.weight is missing"):
        load_image_encoder(tmp_path / "b.pth")
