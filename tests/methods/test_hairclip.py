"""HairCLIP as an editor: what a text asks of the hair, what a training draws, and what is refused."""

from __future__ import annotations

import csv
from collections import Counter
from types import SimpleNamespace

import pytest
import torch
from PIL import Image
from torch import nn

from textedit_bench.assets.locate import lacks_weights
from textedit_bench.bench.plan import weights_digest
from textedit_bench.domain import load_domain
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt
from textedit_bench.testing import TOYS, write_toy_dataset
from textedit_bench.training import RunOptions, loss_weights
from textedit_methods.hairclip.card import CARD, COLOURS, STYLES, Settings
from textedit_methods.hairclip.method import HairCLIP, request_of
from textedit_methods.hairclip.network import HairMapper
from textedit_methods.hairclip.training import NEEDS, HairTraining, Requests, plan_training, training_texts

SMALL = {
    **{"blocks": 1, "medium_from": 1, "fine_from": 2, "batch_size": 4, "num_codes": 0, "steps": 40},
    **{"steps_per_validation": 10, "validation_codes": 8, "optimizer": "adam", "learning_rate": 3e-3},
}
QUIET = {"progress": False, "preview_images": 0, "logger": "csv"}
RED = Prompt("a face with red hair", "a face", "red hair", "hair colour")
AFRO = Prompt("a face with an afro", "a face", "afro hairstyle", "hairstyle")


# -- what a text asks for --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("words", "style", "colour"),
    [
        ("Blond hair", None, "blond hair"),
        ("a woman with grey hair", None, "gray hair"),
        ("mohawk", "mohawk hairstyle", None),
        ("Hi-top Fade hairstyle", "hi-top fade hairstyle", None),
        ("a face with a regular taper cut", "regular taper cut hairstyle", None),
        ("brown afro hair", "afro hairstyle", "brown hair"),
        ("black mohawk", "mohawk hairstyle", "black hair"),
        ("a bob cut hairstyle and pink hair", "bob cut hairstyle", "pink hair"),
        ("curly, blonde hair", "curly hair", "blond hair"),
        ("bald", "bald", None),
        ("choppy lob hairstyle", "choppy lob hairstyle", None),
    ],
)
def test_a_text_without_a_group_is_split(words, style, colour):
    assert request_of(Prompt("a face", phrase=words)) == (style, colour)


@pytest.mark.parametrize(
    "words",
    ["glasses", "blue eyes", "black", "blond hair and glasses", "old with a beard", "smiling with a bob cut hairstyle",
     "black and white hair", "hair", "hairstyle", "no hair", "brown eyes and blond hair", "turquoise hair",
     "bald with a beard", "long nose"],
)  # fmt: skip
def test_a_text_about_anything_else_is_refused(words):
    assert request_of(Prompt("a face", phrase=words)) is None


def test_the_cards_group_decides_and_its_words_stay():
    assert request_of(Prompt("a face", phrase="Turquoise", group="hair colour")) == (None, "Turquoise")
    assert request_of(Prompt("a bald face", group="hairstyle")) == ("a bald face", None)
    assert request_of(Prompt("a face", phrase="blond hair", group="compound")) == (None, "blond hair")


def test_the_published_lists():
    assert (len(STYLES), len(COLOURS)) == (44, 12)
    for style in STYLES:
        assert request_of(Prompt("a face", phrase=f"{style} hairstyle")) == (f"{style} hairstyle", None)


# -- the data set ----------------------------------------------------------------------------------------------------
class TinyParser(nn.Module):
    """Takes the upper half for hair."""

    def hair(self, images):
        mask = torch.zeros_like(images[:, :1])
        mask[:, :, : images.shape[2] // 2] = 1
        return mask


@pytest.fixture
def domain(tiny_domain):
    made = tiny_domain()
    words = (RED, AFRO, Prompt("a face with blond hair", "a face", "blond hair", "hair colour"), Prompt("glasses"))
    kept = [SimpleNamespace(split="train", trained=True, prompt=lambda p=p: p, id=p.words) for p in words[1:]]
    kept.append(SimpleNamespace(split="evaluation", trained=False, prompt=lambda: RED, id="red"))
    made.tier_card.prompts = kept
    return made


@pytest.fixture
def seeing(domain):
    """With a parser."""
    domain.made["parser"] = TinyParser()
    return domain


@pytest.fixture
def editor(domain):
    made = HairCLIP(domain, **SMALL)
    made._network = made.seeded_network(0).eval()
    return made


@pytest.fixture
def latents(domain):
    return domain.invert(domain.photos("train", 3))


def test_training_texts(domain):
    own = (["afro hairstyle"], ["blond hair"])
    assert training_texts(domain, None, published=False) == own
    styles, colours = training_texts(domain, None, published=True)
    assert len(styles) == 44 and len(colours) == 11 and "red hair" not in colours  # the card holds it out
    assert training_texts(domain, [RED, RED], published=True) == ([], ["red hair"])
    for wrong in ([], [RED, Prompt("glasses")]):
        with pytest.raises(UserError, match="hair"):
            training_texts(domain, wrong, published=False)
    for words in ("grey hair", "afro"):
        unseen = Prompt(f"a face with {words}")
        domain.tier_card.prompts.append(
            SimpleNamespace(split="evaluation", trained=False, prompt=lambda p=unseen: p, id=words)
        )
    styles, colours = training_texts(domain, None, published=True)
    assert "gray hair" not in colours and "afro hairstyle" not in styles and (len(styles), len(colours)) == (43, 10)
    domain.tier_card.prompts = []
    assert len(training_texts(domain, None, published=False)[1]) == 12


# -- requests --------------------------------------------------------------------------------------------------------
def drawn(requests, count=20_000):
    choice = torch.multinomial(requests.chances, count, True, generator=torch.Generator().manual_seed(0))
    return requests(choice)


def test_requests_are_drawn_as_published():
    styles, colours = torch.eye(5)[:3], torch.eye(5)[3:]
    batch = drawn(Requests(styles, colours, Settings(), pictures=True))
    style, colour = (batch[f"{name}_text"] + batch[f"{name}_image"] for name in ("style", "colour"))
    assert set(style.unique().tolist()) == {0.0, 1.0}
    shares = {"style": style * (1 - colour), "colour": colour * (1 - style), "both": style * colour}
    for name, share in {"style": 0.5, "colour": 0.2, "both": 0.27}.items():
        assert float(shares[name].mean()) == pytest.approx(share, abs=0.02)
    assert float(batch["style_text"].mean()) == pytest.approx(0.77 / 2, abs=0.02)
    for name in ("style", "colour"):
        assert torch.equal(batch[name].sum(1), batch[f"{name}_text"])  # zeros where no text is asked for
    pairs = Counter(
        (int(a.argmax()), int(b.argmax()) - 3)
        for a, b in zip(batch["style"], batch["colour"], strict=True)
        if a.any() and b.any()
    )
    assert set(pairs) == {(a, b) for a in range(3) for b in range(2)}
    assert max(pairs.values()) < 1.4 * min(pairs.values())


def test_without_a_parser_nothing_is_asked_for_by_a_picture_and_few_choices_show_every_text():
    requests = Requests(torch.eye(9)[:5], torch.eye(9)[5:], Settings(), pictures=False)
    batch = requests(torch.arange(20) % len(requests.chances))
    assert not batch["style_image"].any() and not batch["colour_image"].any()
    assert batch["style"].any(0)[:5].all() and batch["colour"].any(0)[5:].all()


def test_a_group_without_texts_is_never_asked_for_by_one():
    batch = drawn(Requests(torch.zeros(0, 4), torch.eye(4), Settings(), pictures=False), 500)
    assert not batch["style_text"].any() and not batch["style"].any() and batch["colour_text"].any()
    with pytest.raises(UserError, match="no style or colour"):
        Requests(torch.zeros(0, 4), torch.zeros(0, 4), Settings(), pictures=False)
    with pytest.raises(UserError, match=r"style_probability .* = 1\.27; valid: at most 1"):
        Requests(torch.eye(4), torch.eye(4), Settings(style_probability=0.8), pictures=False)


# -- training --------------------------------------------------------------------------------------------------------
def test_training_lowers_the_loss(domain, tmp_path):
    editor = HairCLIP(domain, **SMALL, texts="card")
    editor.fit(folder=tmp_path, **QUIET)
    with next(tmp_path.rglob("metrics.csv")).open() as file:
        losses = [float(row["validation/loss"]) for row in csv.DictReader(file) if row["validation/loss"]]
    assert len(losses) == 4 and losses[-1] < losses[0]
    editor.save(tmp_path / "a.safetensors")
    other = HairCLIP(domain)
    other.load(tmp_path / "a.safetensors")
    assert other.network.config == editor.network.config and other.network.starts == (1, 2)


def module(domain, **settings):
    editor = HairCLIP(domain, **{**SMALL, **settings})
    weights = loss_weights("hairclip", editor.settings, domain, NEEDS)
    made = HairTraining(
        editor.seeded_network(0), domain, codes=torch.randn(6, 4, 16), clip_preprocessing="published", weights=weights,
        learning_rate=1.0,
    )  # fmt: skip
    made.on_fit_start()
    return made


ON = {
    ("text", "text"): {"style_text", "colour_text"},
    ("text", ""): {"style_text", "colour_kept"},
    ("image", ""): {"style_image", "colour_kept"},
    ("", "text"): {"colour_text"},
    ("image", "image"): {"style_image", "colour_image"},
    ("", ""): set(),
}


@pytest.mark.parametrize("kind", ON)
def test_terms_are_those_of_the_request(seeing, kind):
    requests = Requests(torch.randn(2, 16), torch.randn(2, 16), Settings(), pictures=True)
    batch = requests(torch.tensor([requests.kinds.index(kind)] * 2))
    batch |= {"codes": torch.randn(2, 4, 16), "index": torch.arange(2), "shown": torch.randn(2, 2, 4, 16)}
    made = module(seeing)
    terms = made.terms(made.network, batch)
    assert {name for name, value in terms.items() if value != 0} == {"identity", "background", "latent"} | ON[kind]
    made.total(terms).backward()
    # Every parameter has a gradient, whatever was asked for: several processes wait for all of them.
    assert all(parameter.grad is not None for parameter in made.network.parameters())


def test_terms_without_a_parser_are_off(domain, caplog):
    batch = Requests(torch.randn(2, 16), torch.randn(2, 16), Settings(), pictures=False)(torch.tensor([0, 0]))
    batch |= {"codes": torch.randn(2, 4, 16), "index": torch.arange(2)}
    made = module(domain)
    assert set(made.terms(made.network, batch)) == {"identity", "latent", "style_text", "colour_text"}
    assert len(caplog.records) == 4


def test_a_whole_training_with_pictures(seeing, tmp_path):
    editor = HairCLIP(seeing, **{**SMALL, "steps": 6, "steps_per_validation": 3})
    plan = plan_training(editor, RunOptions(folder=tmp_path), None)
    batch = next(iter(plan.data.val_dataloader()))
    assert batch["shown"].shape == (2, 4, 4, 16)
    for row in batch["shown"].flatten(0, 1):  # none of those held out
        assert plan.data.codes[: plan.data.train_count].eq(row).flatten(1).all(1).any()
    editor.fit(folder=tmp_path, **QUIET)
    assert editor.network.blocks == 1


# -- editing ---------------------------------------------------------------------------------------------------------
def test_a_request_moves_its_rows_and_the_others_unless_they_are_spared(editor, latents):
    codes = editor.edit(latents, RED).codes
    step = 0.1 * editor.network(latents.codes, None, editor.embed_text("red hair").expand(3, -1))
    torch.testing.assert_close(codes, latents.codes + step)
    torch.testing.assert_close(editor.edit(latents, RED, 0.5).codes, latents.codes + 0.5 * step)
    assert (codes != latents.codes).flatten(2).any(2).all()
    spared = HairCLIP(editor.domain, **SMALL, spare_other_group=True)
    spared._network = editor.network
    for prompt, still, moved in ((RED, slice(0, 2), slice(2, 4)), (AFRO, slice(2, 4), slice(0, 2))):
        found, usual = spared.edit(latents, prompt).codes, editor.edit(latents, prompt).codes
        assert torch.equal(found[:, still], latents.codes[:, still])
        assert torch.equal(found[:, moved], usual[:, moved])


def test_other_prompts_and_pictures_are_refused(editor, latents, tmp_path):
    prompt = Prompt("a face with glasses", phrase="glasses", group="accessory")
    assert editor.refusal(RED) is None and "hair style and hair colour" in editor.refusal(prompt)
    with pytest.raises(UserError, match="glasses"):
        editor.edit(latents, prompt)
    car = load_domain(str(write_toy_dataset(tmp_path, TOYS[1])))
    assert "faces" in HairCLIP(car).refusal(RED)
    with pytest.raises(UserError, match="faces"):
        HairCLIP(car).fit(folder=tmp_path, **QUIET)


def test_misfits_are_refused(editor):
    with pytest.raises(UserError, match="width 5 and texts of width 16"):
        editor.check_fits(HairMapper(5, 16), "a.pt")
    with pytest.raises(UserError, match="medium_from"):
        HairCLIP(editor.domain, medium_from=3, fine_from=3).new_network()


def picture(path, shade):
    Image.new("RGB", (8, 8), shade).save(path)
    return str(path)


def test_a_picture_takes_the_place_of_a_text(editor, seeing, latents, tmp_path):
    shown = picture(tmp_path / "a.png", (200, 30, 30))
    seeing.tier_card.world, seeing.tier_card.height = "drawn", None
    asked = HairCLIP(seeing, **SMALL, style_image=shown)
    asked._network = editor.network
    found = asked.edit(latents, RED).codes
    usual = editor.edit(latents, RED).codes
    assert torch.equal(found[:, 2:], usual[:, 2:]) and not torch.allclose(found[:, :2], usual[:, :2])
    assert torch.equal(asked.edit(latents, AFRO).codes, asked.edit(latents, Prompt("bald", group="hairstyle")).codes)


def test_a_picture_is_part_of_a_cells_identity_and_needs_a_parser(domain, tmp_path, monkeypatch):
    shown = picture(tmp_path / "a.png", (200, 30, 30))
    editor = HairCLIP(domain, style_image=shown)
    assert "parser" in editor.refusal(RED)
    with pytest.raises(UserError, match="no such file"):
        HairCLIP(domain, colour_image=str(tmp_path / "b.png")).given_files()
    monkeypatch.setattr(HairCLIP, "weights_path", lambda _: tmp_path / "weights")
    (tmp_path / "weights").write_bytes(b"w")
    first = weights_digest(editor)
    picture(tmp_path / "a.png", (0, 30, 30))
    assert len({first, weights_digest(editor), weights_digest(HairCLIP(domain))}) == 3


def test_a_picture_does_not_stand_for_the_mapper(domain, tmp_path, monkeypatch):
    monkeypatch.setattr(HairCLIP, "weights_path", lambda _: tmp_path / "none")
    assert lacks_weights(HairCLIP(domain, style_image=picture(tmp_path / "a.png", (200, 30, 30))))


def test_the_cards_presets():
    assert CARD.preset("full", "face") == {}
    assert CARD.preset("mini", "face")["texts"] == "card"
