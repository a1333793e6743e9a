"""The generators of AttnGAN, ControlGAN and DM-GAN give the numbers of the published code; sizes come from the file."""

from __future__ import annotations

import pytest
import torch

from textedit_bench.errors import UserError
from textedit_bench.models.storage import save_network
from textedit_methods.stacked_gans.method import AttnGAN, ControlGAN, DynamicMemoryGAN
from textedit_methods.stacked_gans.network import AttnGenerator, ControlGenerator, MemoryGenerator, Sizes

METHODS = {"attngan": AttnGAN, "controlgan": ControlGAN, "dmgan": DynamicMemoryGAN}
KINDS = {"attngan": AttnGenerator, "controlgan": ControlGenerator, "dmgan": MemoryGenerator}
SMALL = Sizes(features=1, words=4, condition=3, noise=5, residuals=3, stages=3)


@pytest.fixture(scope="module", params=METHODS)
def published(parity, tmp_path_factory, request):
    """The fixture, the network of its official file, its inputs, and the text of item 0 with words hidden."""
    fixture = parity(f"{request.param}_generator")
    path = tmp_path_factory.mktemp("official") / "netG.pth"
    torch.save(fixture.state(), path)
    network = METHODS[request.param].load_network(path)
    noise, eps, sentence, words = (fixture.input(name) for name in ("z", "eps", "sent_emb", "word_embs"))
    hidden = torch.arange(words.shape[2]).expand(len(words), -1) >= torch.tensor(fixture.manifest["config"]["lens"])[1]
    return fixture, network, (noise, eps, sentence, words), (words.masked_fill(hidden[:, None], 0), hidden)


def test_one_text(published):
    fixture, network, inputs, _ = published
    drawn = network(*(part[:1] for part in inputs))
    fixture.check("mu", drawn.mean)
    fixture.check("logvar", drawn.log_variance)
    for side, image in zip((64, 128, 256), drawn.images, strict=True):
        fixture.check(f"single_image{side}", image)
    for number, attention in enumerate(drawn.attention, start=1):
        fixture.check(f"single_att{number}", attention)


def test_a_padded_text_alone_and_beside_another(published):
    """Beside another text it is what it is alone, as the published code's mask would not have it."""
    fixture, network, inputs, (padded, hidden) = published
    drawn = network(*(part[:1] for part in inputs[:3]), padded[:1], hidden[:1])
    fixture.check("padded_image256", drawn.images[2])
    fixture.check("padded_att1", drawn.attention[0])
    words = torch.stack([padded[0], inputs[3][1]])
    both = network(*inputs[:3], words, torch.stack([hidden[0], torch.zeros_like(hidden[0])]))
    fixture.check("padded_image256", both.images[2][:1])
    assert torch.equal(both.attention[0][0, hidden[0]], torch.zeros_like(both.attention[0][0, hidden[0]]))


def official(name, sizes):
    """A small random state dict under the published names."""
    torch.manual_seed(0)
    state = {}
    for key, value in KINDS[name](sizes).state_dict().items():
        stage = key[5:6]
        state[key.replace("channel_att.conv_context", f"channel_att.conv_context{stage}")] = value
    for stage in (2, 3) if name == "controlgan" and sizes.stages > 1 else ():
        for part in ("att", "channel_att"):
            for other, places in ((2, 64**2), (3, 128**2)):
                key = f"h_net{stage}.{part}.conv_context{other}.weight"
                state.setdefault(key, torch.full((places, sizes.words, 1, 1), torch.nan))  # never read
    return state


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("stages", [1, 2, 3])
def test_other_sizes_wrappers_and_old_files_are_read(tmp_path, name, stages):
    sizes = Sizes(**{**vars(SMALL), "stages": stages, "residuals": 3 if stages > 1 else 0})
    state = official(name, sizes)
    if name == "controlgan" and stages == 2:
        state = {key: value for key, value in state.items() if not key.startswith("h_net3")}
    torch.save({f"module.{k}": v for k, v in state.items() if not k.endswith("num_batches_tracked")}, tmp_path / "a")
    found = METHODS[name].load_network(tmp_path / "a")
    assert found.sizes == sizes and type(found) is KINDS[name]
    own = found.state_dict()
    assert all(torch.equal(value, own[key]) for key, value in state.items() if key in own)


def test_ours_is_read_back(tmp_path):
    made = AttnGenerator(SMALL)
    found = AttnGAN.load_network(save_network(made, tmp_path / "ours.safetensors", "attngan"))
    assert found.sizes == SMALL and torch.equal(found.ca_net.fc.weight, made.ca_net.fc.weight)


def spoilt(**changes):
    state = official("attngan", SMALL)
    return {name: changes.get(name, value) for name, value in state.items() if changes.get(name, value) is not None}


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"a": torch.zeros(2)}, "h_net1.fc.0.weight is missing"),
        (spoilt(**{"ca_net.fc.weight": None}), "ca_net.fc.weight is missing"),
        (spoilt(**{"h_net1.fc.0.weight": torch.zeros(512, 2)}), "no start of such a generator"),
        (spoilt(**{"h_net2.att.conv_context.weight": torch.zeros(1, 4, 3, 3)}), "misshapen"),
        (spoilt(**{"img_net3.img.0.weight": torch.full((3, 1, 3, 3), torch.nan)}), "not finite"),
        ({**spoilt(), "h_net2.extra": torch.zeros(2)}, "1 surplus"),
        ({**spoilt(), "SAIN1.conv.weight": torch.zeros(128, 1, 3, 3)}, "main module of ManiGAN"),
        (official("dmgan", SMALL), "MemoryGenerator"),
        ({}, "no tensors"),
    ],
)
def test_spoilt_and_foreign_files_are_refused_in_one_line(tmp_path, state, said):
    torch.save(state, tmp_path / "b.pth")
    with pytest.raises(UserError, match=said) as caught:
        AttnGAN.load_network(tmp_path / "b.pth")
    assert "\n" not in str(caught.value) and "b.pth" in str(caught.value)
