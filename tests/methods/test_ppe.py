"""PPE as an editor: which texts are anchors, what a training watches, and what is refused."""

from __future__ import annotations

import csv

import pytest
import torch
from torch.nn import functional as F

from textedit_bench.domain import load_domain
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt
from textedit_bench.testing import write_toy_dataset
from textedit_methods.ppe.anchors import own_classes, predict, rank_pictures
from textedit_methods.ppe.method import PPE
from textedit_methods.ppe.training import indicator

COLOURS = {"hair colour": ["blond hair", "black hair"], "accessory": ["glasses", "hat"], "age": ["old"]}
SMALL = {"batch_size": 2, "steps": 12, "steps_per_validation": 3, "validation_codes": 4, "num_codes": 0}
QUIET = {"progress": False, "preview_images": 0, "logger": "csv"}


def one_hot(*axes):
    return F.one_hot(torch.tensor(axes), 8).float()


AXES = {"blond hair": 0, "black hair": 1, "glasses": 2, "hat": 3, "old": 4, "red hair": 0, "grey hair": 1}


def embed(text):
    return 3 * one_hot(AXES[text])[0]


@pytest.mark.parametrize(
    ("words", "group", "own"),
    [
        ("red hair", "hair colour", {"hair colour"}),
        ("Black  hair", None, {"hair colour"}),
        ("Black hair", "a group of no candidate", {"hair colour"}),
        ("old with glasses and a hat", None, {"age", "accessory"}),
        ("red hair", None, {"hair colour"}),  # CLIP finds blond hair nearest
    ],
)
def test_a_prompt_is_not_held_back_from_what_it_asks_for(words, group, own):
    assert own_classes(words, group, COLOURS, embed) == own


def test_anchors_are_what_the_prompts_pictures_show_more_than_others():
    """Of 40 pictures ten are blond; nearly all blond ones wear hats, everybody else wears glasses."""
    seen = torch.zeros(40, 8)
    seen[:, 7] = 1
    seen[:10, 0], seen[10:, 1] = 1, 1
    seen[:10, 3], seen[10:, 2] = 1, 1
    seen[::2, 4] = 0.5
    found = predict("blond hair", {"hair colour"}, COLOURS, embed, F.normalize(seen, dim=1), aggregated=8, count=5)
    assert found.texts == ("hat", "old")
    torch.testing.assert_close(found.embeddings, one_hot(3, 4))
    assert found.spans.shape == (3,) and (found.spans > 0).all()
    assert predict("old", {"age"}, COLOURS, embed, seen, count=1).embeddings.shape == (1, 8)


def test_the_first_text_of_a_class_decides_where_the_released_rule_is_asked_for():
    """Released: whoever asks for black hair gets blond pictures, since that text is the first of its class."""
    seen = F.normalize(torch.cat([one_hot(0, 0, 0) + 0.1, one_hot(1, 1, 1)]), dim=1)
    black = {"own": {"hair colour"}, "classes": {"hair colour": COLOURS["hair colour"], "rest": ["hat", "glasses"]}}
    seen[:3, 3], seen[3:, 2] = 1, 1  # blond ones wear hats, black-haired ones glasses

    def first(rule):
        return predict("black hair", embed=embed, seen=seen, aggregated=3, first_of_class=rule, **black).texts[0]

    assert first(False) == "glasses" and first(True) == "hat"


def test_one_picture_has_an_indicator_too():
    found = predict("glasses", {"accessory"}, COLOURS, embed, F.normalize(one_hot(0).float(), dim=-1))
    change = torch.rand(3, 1 + len(found.texts))
    assert torch.isfinite(indicator(change, 1 - change, found.spans))


def test_where_no_picture_shows_it_all_are_ranked():
    assert rank_pictures(torch.tensor([0.1, 0.3]), torch.tensor([[0.0, 1.0], [0.0, 1.0]])).tolist() == [1, 0]


@pytest.fixture
def domain(tmp_path, monkeypatch):
    monkeypatch.setenv("TEXTEDIT_BENCH_HOME", str(tmp_path / "home"))
    return load_domain(str(write_toy_dataset(tmp_path / "toy")))


def test_candidates_are_trained_prompts_and_no_unseen_ones(domain):
    assert PPE(domain).classes() == {"pale": ["pale"], "blue": ["blue"], "round": ["round"]}
    assert sum(map(len, PPE(domain, anchors="published").classes().values())) == 72


def test_a_card_without_other_groups_is_refused(domain, monkeypatch):
    prompt = Prompt("a face with blond hair", "a face", "blond hair", group="hair colour")
    assert PPE(domain).refusal(prompt) is None
    monkeypatch.setattr(PPE, "classes", lambda _: {"hair colour": ["black hair"]})
    assert "other groups" in PPE(domain).refusal(prompt)
    assert PPE(domain, entanglement_weight=0.0).refusal(prompt) is None
    editor = PPE(domain)
    editor._networks["black hair"] = editor.new_network()
    assert "other groups" in editor.refusal(prompt)  # whatever was edited before
    editor._networks["blond hair"] = editor.new_network()
    assert editor.refusal(prompt) is None


def test_a_training_leaves_out_the_prompts_that_are_refused(domain, monkeypatch, tmp_path, caplog):
    trained = {prompt.words: prompt for prompt in domain.training_prompts()}
    blue, pale = trained["blue"], trained["pale"]
    monkeypatch.setattr(PPE, "untrainable", lambda _, prompt: "it is alone" if prompt.words == "pale" else None)
    with pytest.raises(UserError, match="prompt 'pale': it is alone"):
        PPE(domain, **SMALL).fit([blue, pale], folder=tmp_path / "asked", **QUIET)
    assert not (tmp_path / "asked").exists()
    monkeypatch.setattr(type(domain), "prompts", lambda *_, **__: {"blue": blue, "pale": pale})
    editor = PPE(domain, **SMALL)
    editor.fit(folder=tmp_path / "all", **QUIET)
    assert set(editor._networks) == {"blue"} and "no network is trained for 'pale'" in caplog.text
    monkeypatch.setattr(type(domain), "prompts", lambda *_, **__: {"pale": pale})
    with pytest.raises(UserError, match="it is alone"):
        PPE(domain, **SMALL).fit(folder=tmp_path / "none", **QUIET)


def _curves(folder):
    with next(folder.rglob("metrics.csv")).open() as file:
        return [row for row in csv.DictReader(file) if row["validation/loss"]]


def test_a_training_watches_its_anchors_and_shows_the_indicator(domain, tmp_path):
    prompts = list(domain.prompts("evaluation").values())
    ends = {}
    for weight in (0.0, 1e4):
        editor = PPE(domain, **SMALL, entanglement_weight=weight, learning_rate=2.0, optimizer="adam")
        editor.fit(prompts, folder=tmp_path / str(weight), **QUIET)
        ends[weight] = _curves(tmp_path / str(weight))[-1]
        assert set(editor._networks) == {prompt.words for prompt in prompts}
    assert "validation/entanglement" not in ends[0.0]
    assert float(ends[1e4]["validation/indicator"]) > 0
    held = {weight: float(end["validation/clip"]) for weight, end in ends.items()}
    assert held[1e4] > held[0.0]  # what may not change the anchors reaches the text less


def test_other_candidates_are_another_training(domain, monkeypatch):
    before = PPE(domain).run_identity()
    monkeypatch.setattr(PPE, "classes", lambda _: {"age": ["old"]})
    assert PPE(domain).run_identity() != before
