"""ManiGAN's modules give the numbers of the published code; sizes come from the file."""

from __future__ import annotations

import pytest
import torch

from textedit_bench.errors import UserError
from textedit_bench.models.storage import save_network
from textedit_methods.manigan.method import ManiGAN
from textedit_methods.manigan.network import Correction, MainModule


def load(published, folder):
    torch.save(published.state(), folder / "official.pth")
    return ManiGAN.load_network(folder / "official.pth")


def padded(published):
    """The words with those after the second length set to zero, and which these are."""
    words = published.input("word_embs")
    hidden = (torch.arange(words.shape[2]) >= published.manifest["config"]["lens"][1])[None]
    return words.masked_fill(hidden[:, None], 0), hidden


def test_the_main_module(parity, tmp_path):
    published = parity("manigan_generator")
    network = load(published, tmp_path)
    text = [published.input(name) for name in ("z", "eps", "sent_emb")]
    photo = [published.input(name) for name in ("cnn_code", "region_features")]
    drawn = network(*text, published.input("word_embs"), *photo)
    for name in ("mu", "logvar", "c_code", "h_code3"):
        own = {"mu": "mean", "logvar": "log_variance", "c_code": "condition", "h_code3": "features"}[name]
        published.check(name, getattr(drawn, own))
    edited = network.last_features(*text, published.input("word_embs"), *photo)
    assert torch.equal(edited, drawn.features), "what edits start from"
    for side, image in zip((64, 128, 256), drawn.images, strict=True):
        published.check(f"single_image{side}", image)
    for number, attention in enumerate(drawn.attention, start=1):
        published.check(f"single_att{number}", attention)
    words, hidden = padded(published)
    published.check("padded_image256", network(*text, words, *photo, hidden).images[2])


def test_the_correction(parity, tmp_path):
    published = parity("manigan_dcm")
    network = load(published, tmp_path)
    inputs = [published.input(name) for name in ("h_code", "vgg_features")]
    published.check("image", network(*inputs, published.input("word_embs")))
    published.check("padded_image", network(*inputs, *padded(published)))


def test_the_newer_enlarging_moves_the_positions_that_the_fixture_names(parity):
    config = parity("manigan_generator").manifest["config"]
    network = MainModule(features=1, words=4, condition=2, noise=2, residuals=0)
    ramp = torch.arange(17.0).expand(1, 1, 17, 17)
    older = network.imgUpSample[0](ramp)[0, 0, 0]
    network.enlarge_by_factor()
    newer = network.imgUpSample[0](ramp)[0, 0, 0]
    assert older.tolist() == config["nearest_17_to_64"]
    assert (older != newer).nonzero().flatten().tolist() == config["positions_where_torch_1_6_differs"]


def official(network):
    """Its tensors under the published names, with the maps that are never read."""
    state = {}
    for name, value in network.state_dict().items():
        state[name.replace(".channel_att.conv_context", f".channel_att.conv_context{name[5:6]}")] = value
    for stage in (2, 3) if isinstance(network, MainModule) else ():
        for other in (2, 3):
            state.setdefault(f"h_net{stage}.channel_att.conv_context{other}.weight", torch.full((2,), torch.nan))
    return state


@pytest.mark.parametrize(
    "made",
    [
        MainModule(features=1, words=6, condition=3, noise=5, residuals=3),
        Correction(features=2, words=4, residuals=1),
    ],
    ids=["main", "correction"],
)
def test_other_sizes_wrappers_and_ours_are_read(tmp_path, made):
    torch.save({f"module.{name}": value for name, value in official(made).items()}, tmp_path / "a.pth")
    ours = save_network(made, tmp_path / "b.safetensors", "manigan")
    for path in (tmp_path / "a.pth", ours):
        found = ManiGAN.load_network(path)
        assert type(found) is type(made) and found.config == made.config
        assert all(torch.equal(value, made.state_dict()[name]) for name, value in found.state_dict().items())


MAIN = official(MainModule(features=1, words=6, condition=3, noise=5, residuals=1))


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"a": torch.zeros(2)}, "neither ManiGAN's main module"),
        ({**MAIN, "h_net1.fc.0.weight": torch.zeros(512, 9)}, "no start of ManiGAN"),
        ({**MAIN, "h_net2.extra": torch.zeros(2)}, "1 surplus"),
        ({name: value for name, value in MAIN.items() if name != "SAIN1.conv.weight"}, "neither ManiGAN's main module"),
        ({**MAIN, "img_net1.img.0.weight": torch.full((3, 1, 3, 3), torch.inf)}, "not finite"),
        ({"h_net.color_channel_att.conv_context.weight": torch.zeros(4)}, "h_net.att.conv_context.weight"),
        ({}, "no tensors"),
    ],
)
def test_spoilt_and_foreign_files_are_refused_in_one_line(tmp_path, state, said):
    torch.save(state, tmp_path / "b.pth")
    with pytest.raises(UserError, match=said) as caught:
        ManiGAN.load_network(tmp_path / "b.pth")
    assert "\n" not in str(caught.value) and "b.pth" in str(caught.value)
