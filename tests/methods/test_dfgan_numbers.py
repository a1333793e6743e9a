"""DF-GAN's networks give the numbers of the published code, from official files of both layouts."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch.nn import functional as F

from textedit_bench.errors import UserError
from textedit_bench.models.damsm_text import TextEncoder
from textedit_methods.dfgan.method import DFGAN
from textedit_methods.dfgan.network import Critic, Generator, generator_widths
from textedit_methods.dfgan.training import critic_terms


def nested(state, **others):
    """As the trainer of 2022 writes, under DistributedDataParallel."""
    model = {
        name: {f"module.{key}": value for key, value in part.items()}
        for name, part in {**others, "netG": state}.items()
    }
    return {"model": model, "optimizers": {"optimizer_G": {"state": {0: {"step": 1}}}}, "epoch": 1220}


@pytest.mark.parametrize(
    ("name", "layout", "wrap"),
    [
        ("dfgan_generator", "v2", nested),
        ("dfgan_generator", "v2", dict),
        ("dfgan_generator_64", "v2", lambda state: {"netG": state}),
        ("dfgan_generator_v1", "v1", dict),
    ],
)
def test_published_generators(parity, tmp_path, name, layout, wrap):
    published = parity(name)
    torch.save(wrap(published.state()), tmp_path / "g.pth")
    network = DFGAN.load_network(tmp_path / "g.pth")
    assert isinstance(network, Generator) and network.layout == layout and network.reads == "damsm"
    config = published.manifest["config"]
    assert (network.side, network.noise_dim, network.sentence_dim) == (
        config["imsize"], config["z_dim"], config["cond_dim"],
    )  # fmt: skip
    with torch.no_grad():
        published.check("image", network(published.input("z"), published.input("sent_emb")))


@pytest.fixture
def critic(parity, tmp_path):
    """The fixture and the critic of its official file."""
    published = parity("dfgan_critic_64")
    parts = {"netD": {}, "netC": {}}
    for name, value in published.state().items():
        part, _, key = name.partition(".")
        parts[part][key] = value
    torch.save({"model": parts, "epoch": 3}, tmp_path / "state_epoch_003.pth")
    network = DFGAN.load_network(tmp_path / "state_epoch_003.pth")
    assert isinstance(network, Critic)
    return published, network


def test_published_critic(critic):
    published, network = critic
    images, sentences = published.input("image").requires_grad_(), published.input("sent_emb").requires_grad_()
    features = network.netD(images)
    logits = network.netC(features, sentences)
    published.check("features", features)
    published.check("logits", logits)
    published.check("logits_mismatched", network.netC(features.roll(-1, 0), sentences))
    published.check("logits_fake", network(published.input("fake"), sentences))
    gradients = torch.autograd.grad(logits.sum(), (images, sentences))
    published.check("grad_image", gradients[0])
    published.check("grad_sent", gradients[1])


def test_published_loss_and_its_gradients(critic):
    published, network = critic
    network.requires_grad_(True)
    terms = critic_terms(network, *(published.input(name) for name in ("image", "fake", "sent_emb")), penalty=True)
    published.check("ma_gp", terms["penalty"][None])
    published.check("d_loss", (terms["critic"] + terms["penalty"])[None])
    joint, first = network.netC.joint_conv[0].weight, network.netD.DBlocks[0].conv_r[0].weight
    gradients = torch.autograd.grad(terms["critic"] + terms["penalty"], (joint, first))
    published.check("grad_joint", gradients[0])
    published.check("grad_first", gradients[1])


def test_the_hinge_alone_is_what_it_says(critic):
    published, network = critic
    images, fake, sentences = (published.input(name) for name in ("image", "fake", "sent_emb"))
    terms = critic_terms(network, images, fake, sentences, penalty=False)
    own, made, other = network(images, sentences), network(fake, sentences), network(images[[1, 2, 0]], sentences)
    wanted = F.relu(1 - own).mean() + 0.5 * F.relu(1 + made).mean() + 0.5 * F.relu(1 + other).mean()
    assert terms.keys() == {"critic"}
    torch.testing.assert_close(terms["critic"], wanted)


def test_widths_are_those_of_the_published_sizes(parity):
    for name in ("dfgan_generator", "dfgan_generator_64"):
        config = parity(name).manifest["config"]
        widths = generator_widths(config["nf"], config["imsize"])
        assert [list(pair) for pair in pairwise(widths)] == config["blocks"]


@pytest.mark.parametrize(("layout", "hidden", "condition", "side"), [("v2", 0, 12, 32), ("v1", 6, 7, 16)])
def test_an_untrained_generator_ignores_its_condition(layout, hidden, condition, side):
    """Scales start at 1 and shifts at 0, as published."""
    torch.manual_seed(0)
    network = Generator([16, 16, 8, 4], 5, 7, layout, hidden)
    for block in network.GBlocks:
        ones = torch.ones(2, block.c1.in_channels, 1, 1)
        assert torch.equal(block.fuse1.affine0(ones, torch.randn(2, condition)), ones)
    noise = torch.randn(2, 5)
    found = network(noise, torch.randn(2, 7))
    assert found.shape == (2, 3, side, side) and network.side == side
    assert layout == "v2" or torch.equal(found, network(noise, torch.randn(2, 7)))


def test_the_text_encoder_beside_the_weights_is_read_too(tmp_path):
    torch.save(TextEncoder(9).state_dict(), tmp_path / "text_encoder.pth")
    assert isinstance(DFGAN.load_network(tmp_path / "text_encoder.pth"), TextEncoder)


def official(layout):
    """A small state dict under official names."""
    made = Generator([16, 16, 8], 4, 6, layout, 5 if layout == "v1" else 0).state_dict()
    if layout == "v2":
        return made
    found = {}
    for name, value in made.items():
        for number, place in enumerate(f"fuse{1 + n // 2}.affine{n % 2}" for n in range(4)):
            name = name.replace(place, f"affine{number}")
        found[name.replace("GBlocks.", "block").replace("to_rgb", "conv_img")] = value
    return found


@pytest.mark.parametrize("layout", ["v1", "v2"])
def test_other_sizes_are_read_from_the_tensors(tmp_path, layout):
    torch.save(official(layout), tmp_path / "netG.pth")
    found = DFGAN.load_network(tmp_path / "netG.pth")
    assert found.config == {
        "widths": [16, 16, 8], "noise_dim": 4, "sentence_dim": 6, "layout": layout, "hidden": 5 * (layout == "v1"),
        "reads": "damsm",
    }  # fmt: skip


def without(state, *ends):
    return {name: value for name, value in state.items() if not name.endswith(ends)}


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"linear.weight": torch.zeros(2, 2)}, "no network of DF-GAN"),
        (without(official("v2"), "fc.weight"), "noise is unknown"),
        (without(official("v2"), "GBlocks.1.c2.weight"), "surplus"),
        (without(official("v2"), "GBlocks.0.fuse1.affine0.fc_gamma.linear1.weight"), "condition is unknown"),
        (without(official("v1"), "block0.gamma"), "misshapen"),
        (without(official("v1"), "block1.gamma"), "1 missing"),
        ({**official("v2"), "fc.weight": torch.zeros(15, 4)}, "fits no generator"),
        ({**official("v2"), "fc.bias": torch.full((256,), torch.nan)}, "not finite"),
        ({"netD": Critic([4, 8], 3).netD.state_dict(), "netC": {}}, "incomplete critic"),
        ({"model": {"netD": {"conv_img.weight": 3}}}, "not a dense tensor"),
    ],
)
def test_spoilt_files_are_refused_in_one_line(tmp_path, state, said):
    torch.save(state, tmp_path / "b.pth")
    with pytest.raises(UserError, match=said) as caught:
        DFGAN.load_network(tmp_path / "b.pth")
    assert "\n" not in str(caught.value) and "b.pth" in str(caught.value)
