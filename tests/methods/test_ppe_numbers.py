"""PPE gives the numbers of the published code: mapper in both layouts, losses, indicator, ranking, anchors."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch

from textedit_bench.errors import UserError
from textedit_bench.latent_mapper.network import LevelsMapper
from textedit_bench.latent_mapper.training import clip_term, latent_term
from textedit_methods.ppe.anchors import choose, rank_pictures
from textedit_methods.ppe.method import PPE
from textedit_methods.ppe.published import PUBLISHED
from textedit_methods.ppe.training import entanglement_term, indicator

NAMES = "StructuredToParameterName@@"
"""What PaddlePaddle writes beside the arrays."""


@pytest.fixture
def mapper(parity):
    return parity("ppe_mapper")


def test_the_mapper_of_a_torch_file(mapper, tmp_path):
    state = {f"mapper.{key}": value for key, value in mapper.state().items()}
    state |= {"decoder.conv1.conv.weight": torch.zeros(3), "alpha": torch.zeros(1)}
    torch.save({"state_dict": state, "opts": {"alpha": 1}}, tmp_path / "best_model.pt")
    code = mapper.input("wplus")
    delta = PPE.load_network(tmp_path / "best_model.pt")(code)
    mapper.check("delta", delta)
    mapper.check("w_hat_1_0", code + 0.1 * delta)
    mapper.check("w_hat_3_0", code + 0.3 * delta)


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("beside", [{}, {NAMES: {"course_mapping.mapping.1.weight": "linear_0.w_0"}}])
def test_the_mapper_of_a_paddle_file_is_transposed(mapper, tmp_path, protocol, beside):
    arrays = {key: value.numpy() for key, value in mapper.state().items()}
    (tmp_path / "mapper_bangs.pdparams").write_bytes(pickle.dumps({**arrays, **beside}, protocol=protocol))
    network = PPE.load_network(tmp_path / "mapper_bangs.pdparams")
    mapper.check("delta_paddle", network(mapper.input("wplus")))


@pytest.mark.parametrize("what", ["object", "list", "nothing", "whole numbers", "cut", "not finite"])
def test_a_spoilt_paddle_file_is_refused_in_one_line(tmp_path, what):
    arrays = {key: value.numpy() for key, value in LevelsMapper(3).state_dict().items()}
    match what:
        case "object":
            arrays["fine_mapping.mapping.1.weight"] = tmp_path  # a class that is on no list
        case "list":
            arrays = [1]
        case "nothing":
            arrays = {"linear.weight": np.zeros((2, 2), np.float32)}
        case "whole numbers":
            arrays["fine_mapping.mapping.1.weight"] = np.zeros((3, 3), np.int64)
        case "not finite":
            arrays["fine_mapping.mapping.1.weight"] = np.full((3, 3), np.nan, np.float32)
    data = pickle.dumps(arrays, protocol=2)
    (tmp_path / "a.pdparams").write_bytes(data[:-40] if what == "cut" else data)
    with pytest.raises(UserError, match=r"a\.pdparams") as caught:
        PPE.load_network(tmp_path / "a.pdparams")
    assert "\n" not in str(caught.value)


@pytest.fixture
def losses(parity):
    return parity("ppe_losses")


def test_the_loss_is_the_published_one(losses):
    before, after = losses.input("cosine_source"), losses.input("cosine_edited")
    entanglement, latent = entanglement_term(before[:, 1:], after[:, 1:]), latent_term(losses.input("step"))
    # cosines as they come from unit vectors in the plane of image and text
    images = torch.stack([after[:, 0], (1 - after[:, 0] ** 2).sqrt()], dim=1)
    clip = clip_term(images, torch.tensor([1.0, 0.0]))
    losses.check("entanglement", entanglement[None])
    losses.check("latent", latent[None])
    losses.check("clip", clip[None])
    losses.check("total", 0.1 * losses.input("identity_loss") + clip + 0.8 * latent + 100 * entanglement)


def test_the_indicator_is_the_published_one(losses):
    before, after = losses.input("cosine_source"), losses.input("cosine_edited")
    losses.check("indicator", indicator(before, after, losses.input("spans_raw").abs())[None])


def test_pictures_are_ranked_as_released(losses):
    found = rank_pictures(losses.input("cosine_to_command"), losses.input("cosine_to_class"))
    losses.check("ranked", found)


def test_anchors_are_chosen_as_released(losses):
    config = losses.manifest["config"]
    assert {name: tuple(texts) for name, texts in config["classes"].items()} == PUBLISHED
    candidates = config["candidates"]
    class_of = {text: name for name, texts in PUBLISHED.items() for text in texts}
    order = [text for text in config["order_over_all"] if class_of[text] != class_of[config["command"]]]
    ranks = torch.tensor([order.index(text) + 1 for text in candidates])
    found = choose(losses.input("distance_to_candidates"), [class_of[text] for text in candidates], ranks)
    losses.check("anchors", torch.tensor(found))
