"""StyleFlow as an editor: its labels, own conditions, the authors' attributes, and what is refused."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest
import torch
import yaml
from torch.nn import functional as F

from textedit_bench.assets.locate import lacks_weights
from textedit_bench.bench.plan import weights_digest
from textedit_bench.domain import load_domain
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt
from textedit_bench.testing import write_toy_dataset
from textedit_methods.styleflow.method import StyleFlow
from textedit_methods.styleflow.network import ConditionalFlow, MovingNorm
from textedit_methods.styleflow.published import ATTRIBUTES, LIGHT, WIDTH, asked_for, read_conditions

SMALL = {"samples": 64, "layers": 1, "batch_size": 16, "steps": 40, "steps_per_validation": 10}
QUIET = {"progress": False, "preview_images": 0, "logger": "csv"}
GLASSES = Prompt("a face with glasses", "a face", "glasses")


@pytest.fixture(scope="module")
def domain(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEXTEDIT_BENCH_HOME", str(tmp_path_factory.mktemp("home")))
        yield load_domain(str(write_toy_dataset(tmp_path_factory.mktemp("toy"))))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def fitted(domain, folder):
    """Trained once; no test changes it."""
    made = StyleFlow(domain, **SMALL)
    made.fit(folder=folder, **QUIET)
    return made


@pytest.fixture
def latents(domain):
    return domain.invert(domain.photos("development", 3))


def test_training_lowers_the_loss_on_samples_it_has_not_seen(fitted, folder):
    with next(folder.rglob("metrics.csv")).open() as file:
        losses = [float(row["validation/loss"]) for row in csv.DictReader(file) if row["validation/loss"]]
    assert len(losses) == 4 and losses[-1] < losses[0]


def test_labels_are_the_trained_prompts_and_others_are_not_its_own(fitted, domain):
    train = list(domain.prompts("train").values())
    assert [target for target, _ in fitted.network.labels] == [prompt.target for prompt in train]
    for prompt in domain.prompts("evaluation").values():
        assert "3 attributes" in fitted.refusal(prompt) and "3 attributes" in StyleFlow(domain).refusal(prompt)
        with pytest.raises(UserError, match="3 attributes"):
            fitted.edit(domain.invert(domain.photos("development", 1)), prompt)
    assert all(fitted.refusal(prompt) is None for prompt in train)


def test_scores_of_the_samples_are_standard(fitted, domain):
    """The condition of pictures that were drawn like the training's has mean 0 and deviation 1, nearly."""
    from textedit_bench.training.samples import seen_samples

    drawn = seen_samples(domain, SMALL["samples"], 0)
    scores = drawn.seen @ fitted.directions(fitted.network.labels).T
    found = (scores - fitted.network.label_mean) / fitted.network.label_std
    torch.testing.assert_close(found.mean(0), torch.zeros(3), atol=0.05, rtol=0)  # weights are rounded
    torch.testing.assert_close(found.std(0), torch.ones(3), atol=0.05, rtol=0)


def test_an_edit_sets_the_asked_score_and_leaves_the_others(fitted, domain, latents):
    seen = []
    network = fitted.network
    forward = type(network).forward

    def watched(self, x, context, reverse=False, **options):
        seen.append((reverse, context.clone()))
        return forward(self, x, context, reverse, **options)

    type(network).forward = watched
    try:
        zero, half, whole = fitted.edit_sweep(latents, list(domain.prompts("train").values())[1], [0.0, 0.5, 1.0])
    finally:
        type(network).forward = forward
    (_, own), (_, first), (_, second) = seen
    assert [reverse for reverse, _ in seen] == [False, True, True] and zero is latents
    torch.testing.assert_close(second[:, 1], torch.full((3,), fitted.values.target))
    torch.testing.assert_close(first[:, 1], (own[:, 1] + fitted.values.target) / 2)
    for told in (first, second):
        assert torch.equal(told[:, [0, 2]], own[:, [0, 2]])
    images = F.normalize(domain.clip.encode_image(domain.generator.synthesize(latents.codes)), dim=1)
    scores = images @ fitted.directions(network.labels).T
    torch.testing.assert_close(own, (scores - network.label_mean) / network.label_std)
    assert not torch.equal(half.codes, whole.codes)


def test_saved_and_released_flows_are_told_apart(fitted, domain, tmp_path):
    fitted.save(tmp_path / "a.safetensors")
    other = StyleFlow(domain)
    other.load(tmp_path / "a.safetensors")
    assert other.network.labels == fitted.network.labels
    narrow = ConditionalFlow(domain.generator.w_dim + 1, [4], 17)
    with pytest.raises(UserError, match="width"):
        other.check_fits(narrow, "narrow.pt")
    with pytest.raises(UserError, match="condition of 5 numbers"):
        other.check_fits(ConditionalFlow(domain.generator.w_dim, [4], 5), "five.pt")


def test_a_card_without_trained_prompts_cannot_be_labelled(domain, monkeypatch, tmp_path):
    with pytest.raises(UserError, match="prompts"):
        StyleFlow(domain, **SMALL).fit([], folder=tmp_path, **QUIET)


# -- the authors' flow -----------------------------------------------------------------------------------------------
def conditions(path, ids, **values):
    photo = {"light": [0.0] * LIGHT, **dict.fromkeys(ATTRIBUTES, 0.0), **values}
    path.write_text(yaml.safe_dump({name: photo for name in ids}))
    return str(path)


@pytest.fixture
def released(domain):
    """The authors' kind of flow of the toy's width, random."""

    def make(contexts=""):
        editor = StyleFlow(domain, contexts=contexts)
        torch.manual_seed(0)
        editor._network = ConditionalFlow(domain.generator.w_dim, [8], WIDTH).eval().requires_grad_(False)
        return editor

    return make


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("glasses", ("glasses", 1.0)),
        ("a face with eyeglasses", ("glasses", 1.0)),
        ("Happy", ("expression", 1.0)),
        ("old", ("age", 65.0)),
        ("Young", ("age", 0.0)),
        ("woman", ("gender", 0.0)),
        ("bald face", ("baldness", 1.0)),
        ("old with a beard", None),
        ("blond hair", None),
        ("a face", None),
        ("", None),
    ],
)
def test_texts_of_the_authors_attributes(words, found):
    asked = asked_for(words)
    assert (asked and (asked.attribute, asked.value)) == found


def test_without_conditions_the_authors_flow_serves_nothing(released, tmp_path):
    assert "contexts=FILE" in released().refusal(GLASSES)
    editor = released(conditions(tmp_path / "c.yaml", ["*"]))
    assert editor.refusal(GLASSES) is None
    assert "one at a time" in editor.refusal(Prompt("a face with blond hair", "a face", "blond hair"))


def test_conditions_are_no_weights(domain, tmp_path, monkeypatch):
    path = conditions(tmp_path / "c.yaml", ["*"])
    monkeypatch.setattr(StyleFlow, "weights_path", lambda _: tmp_path / "none.safetensors")
    told = StyleFlow(domain, contexts=path)
    assert lacks_weights(told) and told.released_weights() is None
    monkeypatch.setattr(StyleFlow, "weights_path", lambda _: tmp_path / "c.yaml")
    assert weights_digest(told) != weights_digest(StyleFlow(domain))


def test_codes_without_ids_have_the_condition_of_all_others(released, tmp_path, latents):
    bare = replace(latents, ids=None)
    path = conditions(tmp_path / "c.yaml", ["*"], age=30)
    assert torch.equal(released(path).edit(bare, GLASSES).codes, released(path).edit(latents, GLASSES).codes)
    with pytest.raises(UserError, match="nothing about codes without an id"):
        released(conditions(tmp_path / "d.yaml", ["a"])).edit(bare, GLASSES)


def test_a_single_code_says_nothing_of_the_variance():
    norm = MovingNorm(3)
    norm.follow(torch.ones(1, 3))
    assert torch.equal(norm.running_var, torch.ones(3)) and (norm.running_mean > 0).all()


def test_the_authors_edit_keeps_the_other_rows_and_goes_by_its_degree(released, tmp_path, domain, latents):
    editor = released(conditions(tmp_path / "c.yaml", [*latents.ids[:2], "*"], glasses=0.2, age=30))
    zero, edit = editor.edit_sweep(latents, GLASSES, [0.0, 1.0])
    assert torch.equal(zero.codes, latents.codes)
    moved = (edit.codes - latents.codes).abs().flatten(2).sum(2).bool().any(0)
    assert moved.tolist() == [2 <= row < 4 for row in range(latents.codes.shape[1])]
    own = torch.zeros(3, WIDTH)
    own[:, LIGHT + 1], own[:, LIGHT + 6] = 0.2, 30
    asked = own.clone()
    asked[:, LIGHT + 1] = 0.2 + 2.5 * (1 - 0.2)
    network = editor.network
    wanted = network(network(latents.codes, own), asked, reverse=True)
    torch.testing.assert_close(edit.codes[:, moved], wanted[:, moved])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda text: text.replace("glasses", "specs"), "specs"),
        (lambda text: text.replace("30", "thirty"), "age"),
        (lambda text: text.replace("30", ".nan"), "age: Input should be a finite number"),
        (lambda text: text.replace("  - 0.0\n", "", 1), "light: List should have at least 9 items"),
        (lambda text: text.replace("a:", "b:", 1), "nothing about photo"),
        (lambda text: "[1]", "expected a mapping"),
    ],
)
def test_spoilt_conditions_are_refused_in_one_line(released, tmp_path, latents, spoil, said):
    path = tmp_path / "c.yaml"
    conditions(path, ["a"], age=30)
    path.write_text(spoil(path.read_text()))
    with pytest.raises(UserError, match=said) as caught:
        released(str(path)).edit(latents, GLASSES)
    assert "\n" not in str(caught.value) and "c.yaml" in str(caught.value)


def test_a_missing_file_of_conditions_is_refused(domain, tmp_path):
    with pytest.raises(UserError, match="no such file"):
        StyleFlow(domain, contexts=str(tmp_path / "none.yaml")).given_files()
    with pytest.raises(UserError, match="cannot be read"):
        read_conditions(str(tmp_path))
