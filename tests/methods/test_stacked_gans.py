"""AttnGAN, ControlGAN and DM-GAN as editors: files, texts, randomness, sizes of pictures."""

from __future__ import annotations

import logging
import pickle
from pathlib import Path

import pytest
import torch

from textedit_bench import load_domain, load_method
from textedit_bench.assets.manifest import get_asset
from textedit_bench.bench.plan import weights_digest
from textedit_bench.errors import UserError
from textedit_bench.files import HOME
from textedit_bench.prompt import Prompt
from textedit_bench.registry import new_editor
from textedit_bench.testing import TOYS, write_toy_dataset
from textedit_bench.testing.miniature import miniature_settings, write_reader

METHODS = ("attngan", "controlgan", "dmgan")
BRIGHT = Prompt("a picture with bright top", phrase="bright top")


@pytest.fixture(scope="module")
def domain(tmp_path_factory):
    return load_domain(str(write_toy_dataset(tmp_path_factory.mktemp("toy"), TOYS[0])))


@pytest.fixture
def editor(domain, tmp_path):
    """Makes an editor of small networks."""

    def make(name="attngan", **settings):
        small = miniature_settings(load_method(name).info, domain, tmp_path)
        return new_editor(name, domain, **{**small, **settings})

    return make


@pytest.mark.parametrize("name", METHODS)
def test_pictures_have_the_domains_side_and_the_seed_decides_each(editor, domain, name):
    made = editor(name)
    three, one, other = made.generate(BRIGHT, 3, 5), made.generate(BRIGHT, 1, 5), made.generate(BRIGHT, 1, 6)
    side = domain.resolution
    assert three.shape == (3, 3, side, side) and three.abs().max() <= 1 and not three.requires_grad
    torch.testing.assert_close(three[:1], one, rtol=0, atol=1e-6)
    assert not torch.allclose(one, other) and not torch.allclose(three[0], three[1])


def test_the_text_decides_too_and_is_put_into_the_sentence(editor):
    made, bare = editor(), editor(sentence="{}")
    first = made.generate(BRIGHT, 1)
    assert not torch.allclose(first, made.generate(Prompt("a", phrase="dark top"), 1))
    # The vocabulary lacks "the person has", so that both read the same words.
    assert torch.equal(first, bare.generate(BRIGHT, 1))
    assert torch.equal(first, bare.generate(Prompt("Bright top"), 1))


def test_a_sentence_without_a_place_for_the_words_is_refused(editor):
    with pytest.raises(UserError, match=r"sentence of attngan: 'a face' has no place for the words; valid: with \{\}"):
        editor(sentence="a face")


def test_dropped_words_are_reported_once(editor, caplog):
    made = editor(sentence="{}")
    with caplog.at_level(logging.WARNING):
        made.generate(Prompt("a", phrase="bright purple top"), 1)
        made.generate(Prompt("a", phrase="bright purple top"), 1)
    assert [record.getMessage() for record in caplog.records] == [
        "attngan: 'bright purple top' is read without: purple"
    ]


def test_a_text_without_a_known_word_is_not_applicable(editor):
    made = editor(sentence="bright {}")
    refusal = made.refusal(Prompt("a", phrase="purple"))
    assert refusal is not None and "none of the words 'purple'" in refusal
    with pytest.raises(UserError, match="purple"):
        made.generate(Prompt("a", phrase="purple"), 1)
    assert made.refusal(BRIGHT) is None


@pytest.mark.parametrize(("n", "seed"), [(0, 0), (1, -1), (1, 2**64)])
def test_numbers_out_of_range_are_refused(editor, n, seed):
    with pytest.raises(UserError, match=r"n|seed"):
        editor().generate(BRIGHT, n, seed)


def test_without_files_every_prompt_is_refused_with_what_is_missing(domain):
    made = new_editor("dmgan", domain)
    refusal = made.refusal(BRIGHT)
    assert refusal == made.lacks() and refusal is not None and "\n" not in refusal
    for words in ("ffhq (tier full)", "toy-face, tier mini", "generator, text_encoder, vocabulary"):
        assert words in refusal
    with pytest.raises(UserError, match="missing: generator"):
        made.generate(BRIGHT, 1)


def test_a_file_that_does_not_exist_is_named(domain):
    with pytest.raises(UserError, match=r"text_encoder of attngan: nothing\.pth: no such file"):
        new_editor("attngan", domain, text_encoder="nothing.pth").refusal(BRIGHT)


def test_downloaded_files_are_found_and_part_of_a_cells_identity(editor, tmp_path, monkeypatch):
    monkeypatch.setenv(HOME, str(tmp_path / "home"))
    small = editor().settings
    faces = load_domain("ffhq", "full")
    parts = zip(
        ("generator", "text_encoder", "vocabulary"), load_method("attngan").info.released["full"]["ffhq"], strict=True
    )
    missing = new_editor("attngan", faces)
    assert missing.lacks() and weights_digest(missing) is None
    for part, asset in parts:
        path = get_asset(asset).path
        path.parent.mkdir(parents=True)
        path.write_bytes(Path(small[part]).read_bytes())
    found = new_editor("attngan", faces)
    assert found.lacks() is None and found.released_weights() is None
    digest = weights_digest(found)
    assert digest is not None
    get_asset("mmceleba-vocabulary").path.write_bytes(b"other")
    assert weights_digest(found) != digest


def test_a_vocabulary_of_another_text_encoder_is_a_reason_and_no_error(editor, domain, tmp_path):
    """A bench asks every method before it begins, and must not end for one of them."""
    (tmp_path / "long").mkdir()
    long = write_reader(tmp_path / "long", domain, 8)["vocabulary"]
    captions = pickle.loads(Path(long).read_bytes())
    captions[2][len(captions[2])] = "surplus"
    captions[3]["surplus"] = len(captions[3])
    Path(long).write_bytes(pickle.dumps(captions))
    unfit = editor(vocabulary=long)
    assert "words" in unfit.refusal(BRIGHT) and "embeds" in unfit.refusal(BRIGHT)
    with pytest.raises(UserError, match=r"prompt 'bright top': .*embeds"):
        unfit.generate(BRIGHT, 1)


def test_the_variant_without_intermediate_pictures_is_refused_by_name(editor, tmp_path):
    state = editor().network.state_dict()
    state = {name: value for name, value in state.items() if not name.startswith("img_net")}
    torch.save({**state, "img_net.img.0.weight": torch.zeros(3, 2, 3, 3)}, tmp_path / "variant.pth")
    with pytest.raises(UserError, match="AttnDCGAN"):
        editor().load_network(tmp_path / "variant.pth")


def test_a_text_encoder_of_another_width_is_refused(editor, domain, tmp_path):
    (tmp_path / "wide").mkdir()
    with pytest.raises(UserError, match=r"sentences of width 8; .* gives 12"):
        editor(**write_reader(tmp_path / "wide", domain, 12)).generate(BRIGHT, 1)
