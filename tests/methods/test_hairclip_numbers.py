"""HairCLIP gives the numbers of the published code: mapper, colours, losses, what CLIP sees of a reference."""

from __future__ import annotations

import pickle

import pytest
import torch
from torch import nn

from textedit_bench.errors import UserError
from textedit_bench.latent_mapper.network import ATTRIBUTES
from textedit_bench.latent_mapper.training import cosine_distance, latent_term
from textedit_bench.models.clip import OPENAI_MEAN, OPENAI_STD, ClipModel
from textedit_bench.training.background import background_term
from textedit_methods.hairclip.card import CARD
from textedit_methods.hairclip.method import HairCLIP, embed_hair
from textedit_methods.hairclip.network import HairMapper
from textedit_methods.hairclip.training import HairTraining, colour_distance, lab, mean_lab, where_asked

ROWS = {"coarse": slice(0, 4), "medium": slice(4, 8), "fine": slice(8, 18)}


@pytest.fixture(scope="module")
def mapper(parity):
    return parity("hairclip_mapper")


@pytest.fixture(scope="module")
def file(mapper, tmp_path_factory):
    """The authors' layout: CLIP in half precision inside the mapper, the generator, and options."""
    state = {f"mapper.{name}": value for name, value in mapper.state().items()}
    state |= {
        "mapper.clip_model.visual.proj": torch.zeros(3, 2).half(),
        "mapper.clip_model.logit_scale": torch.ones(()),
    }
    state |= {"decoder.conv1.conv.weight": torch.zeros(3), "decoder.input.input": torch.zeros(1)}
    path = tmp_path_factory.mktemp("official") / "hairclip.pt"
    torch.save({"state_dict": state, "opts": {"no_fine_mapper": False, "device": "cuda:0"}}, path)
    return path


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_mapper_of_the_official_file(mapper, file, dtype):
    network = HairCLIP.load_network(file).to(dtype)
    codes, style, colour = (mapper.input(n).to(dtype) for n in ("wplus", "hairstyle_embedding", "color_embedding"))
    nothing = torch.zeros_like(style)
    for group, rows in ROWS.items():
        part = getattr(network, ATTRIBUTES[group])
        text = colour if group == "fine" else style
        mapper.check(group, part(codes[:, rows], text[:, None]))
        mapper.check(f"{group}_cut", part(codes[:, rows], None))
    # a row of zeros asks for nothing, as None does for all
    requests = {"both": (style, colour), "hairstyle": (style, None), "color": (None, colour), "none": (None, None)}
    for name, asked in requests.items():
        mapper.check(f"delta_{name}", network(codes, *asked))
        mapper.check(f"delta_{name}", network(codes, *(nothing if text is None else text for text in asked)))
    mapper.check("w_hat", codes + 0.1 * network(codes, style, colour))


@torch.no_grad()
def test_requests_of_a_batch_do_not_see_each_other(mapper, file):
    network = HairCLIP.load_network(file).double()
    codes, style, colour = (mapper.input(n).double() for n in ("wplus", "hairstyle_embedding", "color_embedding"))
    style[1], colour[0] = 0, 0
    mixed = network(codes, style, colour)
    torch.testing.assert_close(mixed[:1], network(codes[:1], style[:1], None))
    torch.testing.assert_close(mixed[1:], network(codes[1:], None, colour[1:]))


@torch.no_grad()
def test_other_sizes_and_missing_groups(tmp_path):
    network = HairMapper(6, 4, groups=("coarse", "fine"), blocks=2)
    torch.save({f"mapper.{name}": value for name, value in network.state_dict().items()}, tmp_path / "a.pt")
    found = HairCLIP.load_network(tmp_path / "a.pt")
    assert found.config == {**network.config, "starts": [4, 8]} and not found.training
    for rows in (14, 10, 8, 3):  # the published code knows 18 alone
        step = found(torch.randn(2, rows, 6), torch.ones(2, 4), torch.ones(2, 4))
        assert step.shape == (2, rows, 6) and step[:, 4:8].eq(0).all() and step[:, :4].ne(0).any()
    for codes, text in ((torch.zeros(2, 9, 5), torch.ones(2, 4)), (torch.zeros(2, 9, 6), torch.ones(1, 4))):
        with pytest.raises(ValueError, match="reads"):
            found(codes, text, None)
    with pytest.raises(ValueError, match="groups are some of"):
        HairMapper(6, 4, groups=())


@torch.no_grad()
def test_a_group_that_nothing_is_asked_of_moves_its_rows_by_a_tenth(mapper, file):
    step = 0.1 * HairCLIP.load_network(file)(mapper.input("wplus"), None, None)
    for rows in ROWS.values():
        torch.testing.assert_close(step[:, rows].square().mean((1, 2)).sqrt(), torch.full((2,), 0.1), atol=1e-4, rtol=0)


@pytest.mark.parametrize("case", ["nothing", "surplus", "missing", "misshapen", "not finite", "integers", "code"])
def test_a_spoilt_file_is_refused_in_one_line(tmp_path, case):
    state = {f"mapper.{name}": value for name, value in HairMapper(4, 4, blocks=1).state_dict().items()}
    first = "mapper.medium_mapping.modulation_module_list.0.fc.weight"
    match case:
        case "nothing":
            state = {"decoder.conv1.conv.weight": torch.zeros(2)}
        case "surplus":
            state["mapper.hair_mapping.weight"] = torch.zeros(2)
        case "missing":
            del state[first]
        case "misshapen":
            state[first] = torch.zeros(3, 4)
        case "not finite":
            state[first] = torch.full((4, 4), torch.nan)
        case "integers":
            state[first] = torch.zeros(4, 4, dtype=torch.long)
        case "code":
            state[first] = print
    torch.save({"state_dict": state}, tmp_path / "bad.pt")
    with pytest.raises(UserError, match=r"bad\.pt") as caught:
        HairCLIP.load_network(tmp_path / "bad.pt")
    assert "\n" not in str(caught.value)
    (tmp_path / "bad.pt").write_bytes(pickle.dumps(state)[:-9])
    with pytest.raises(UserError, match=r"bad\.pt"):
        HairCLIP.load_network(tmp_path / "bad.pt")


# -- the loss --------------------------------------------------------------------------------------------------------
@pytest.fixture
def losses(parity):
    return parity("hairclip_losses")


@pytest.fixture
def masks(losses):
    return [(losses.input(f"mask_{name}_raw") > 0).float() for name in "ab"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_colours_and_what_lies_outside_hair(losses, masks, dtype):
    first, second = losses.input("image_a").to(dtype), losses.input("image_b").to(dtype)
    masks = [mask.to(dtype) for mask in masks]
    losses.check("lab_a", lab(first))
    losses.check("lab_average_a", mean_lab(first, masks[0]))
    other = mean_lab(second, masks[1])
    losses.check("color_loss", colour_distance(mean_lab(first, masks[0]), other))
    losses.check("color_loss_without_hair", colour_distance(mean_lab(first, 0 * masks[0]), other))
    losses.check("background_loss", background_term(first, second, *masks)[None])


def test_colours_have_a_finite_slope_everywhere():
    images = torch.linspace(-1.5, 1.5, 300).view(1, 3, 10, 10).requires_grad_()
    mean_lab(images, torch.ones(1, 1, 10, 10)).sum().backward()
    assert images.grad.isfinite().all()


def test_what_clip_sees_of_a_reference(losses):
    seen = []

    class Towers(nn.Module):
        def encode_image(self, pixels):
            seen.append(pixels)
            return pixels.mean((2, 3))

        def encode_text(self, tokens):
            return torch.zeros(len(tokens), 3)

    class Looks:
        clip = ClipModel(
            Towers(), lambda texts: torch.zeros(len(texts), 4, dtype=torch.long), 224, OPENAI_MEAN, OPENAI_STD
        )

    image = losses.input("image")
    embed_hair(Looks, image, torch.ones(1, 1, 1024, 1024))
    losses.check("clip_in", seen[-1])
    embed_hair(Looks, image, torch.zeros(1, 1, 1024, 1024))
    grey = (0.5 - torch.tensor(OPENAI_MEAN)) / torch.tensor(OPENAI_STD)
    torch.testing.assert_close(seen[-1], grey.view(1, 3, 1, 1).expand_as(seen[-1]))


TERMS = (
    "identity", "style_text", "colour_text", "style_image", "colour_image", "colour_kept", "background", "latent",
)  # fmt: skip
ASKED = {
    "text_text": {"style_text", "colour_text"},
    "hairstyle_text": {"style_text", "colour_kept"},
    "color_text": {"colour_text"},
    "image_image": {"style_image", "colour_image"},
    "hairstyle_image": {"style_image", "colour_kept"},
    "none": set(),
}


@pytest.mark.parametrize("request_", ASKED)
def test_the_sum_is_the_published_one(losses, request_):
    weights = {name.removesuffix("_weight"): value for name, value in CARD.training.items() if name.endswith("_weight")}
    assert set(weights) == set(TERMS)
    module = HairTraining(nn.Linear(1, 1), None, codes=torch.zeros(1, 2, 3), clip_preprocessing="published",
                          weights=weights, learning_rate=1.0)  # fmt: skip
    always = {"identity", "background", "latent"} | ASKED[request_]
    values = dict(zip(TERMS, losses.input("terms"), strict=True))
    terms = {name: where_asked(value[None], torch.tensor([float(name in always)])) for name, value in values.items()}
    losses.check(f"total_{request_}", module.total(terms)[None])


def test_the_other_terms(losses):
    losses.check("hairstyle_loss", cosine_distance(losses.input("feature_a"), losses.input("feature_b")))
    assert latent_term(torch.full((1, 2, 3), 0.5)).item() == pytest.approx(0.25)
