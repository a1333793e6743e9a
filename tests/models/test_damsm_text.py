"""The DAMSM text encoder gives the published numbers, alone as in a batch, and refuses what it cannot read."""

from __future__ import annotations

import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from textedit_bench.errors import UserError
from textedit_bench.models.damsm_text import TextEncoder, load_text_encoder, load_text_reader
from textedit_bench.models.storage import save_network

WORDS = ["<end>", "person", "the", "has", "hair", "blond"]


@pytest.fixture
def published(parity, tmp_path):
    """The fixture and the encoder of its official file."""
    fixture = parity("damsm_text")
    torch.save({f"module.{name}": value for name, value in fixture.state().items()}, tmp_path / "text_encoder200.pth")
    return fixture, load_text_encoder(tmp_path / "text_encoder200.pth")


@pytest.mark.parametrize(("dtype", "ending"), [(torch.float32, ""), (torch.float64, "_f64")])
def test_published_numbers(published, dtype, ending):
    fixture, encoder = published
    words, sentences = encoder.to(dtype)(fixture.input("tokens").long())
    fixture.check(f"words_emb{ending}", words)
    fixture.check(f"sent_emb{ending}", sentences)
    assert not words[1, :, 4:].any() and words[1, :, 3].all()


def test_a_text_is_read_alike_alone_in_any_order_and_with_more_padding(published):
    fixture, encoder = published
    tokens = fixture.input("tokens").long()
    words, sentences = encoder.double()(tokens)
    swapped = encoder(torch.cat([tokens, torch.zeros(4, 3, dtype=torch.long)], 1).flip(0))
    torch.testing.assert_close(swapped[1].flip(0), sentences, rtol=0, atol=1e-12)
    torch.testing.assert_close(swapped[0].flip(0), words, rtol=0, atol=1e-12)
    alone = encoder(tokens[1:2])
    torch.testing.assert_close(alone[0][0], words[1, :, :4], rtol=0, atol=1e-12)


@settings(deadline=None, max_examples=15)
@given(length=st.integers(1, 5), seed=st.integers(0, 99))
def test_the_recurrence_is_that_of_the_equations(length, seed):
    """Gates i, f, g, o of PyTorch's order, written out; the sentence is each direction's last state."""
    torch.manual_seed(seed)
    encoder = TextEncoder(7, width=3, hidden=2).double()
    tokens = torch.randint(1, 7, (1, length))
    words, sentence = encoder(tokens)
    vectors = encoder.encoder.weight[tokens[0]]
    for part, (ending, order) in enumerate((("", range(length)), ("_reverse", reversed(range(length))))):
        w_in, w_state, b_in, b_state = (
            getattr(encoder.rnn, f"{name}_l0{ending}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        state = cell = torch.zeros(2).double()
        for step in order:
            i, f, g, o = (w_in @ vectors[step] + b_in + w_state @ state + b_state).chunk(4)
            cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
            state = o.sigmoid() * cell.tanh()
            torch.testing.assert_close(words[0, 2 * part : 2 * part + 2, step], state)
        torch.testing.assert_close(sentence[0, 2 * part : 2 * part + 2], state)


@pytest.mark.parametrize("tokens", [[[0, 0]], [[1, 0, 2]], [[0, 3]], [1, 2]])
def test_texts_without_tokens_or_with_gaps_are_refused(tokens):
    with pytest.raises(ValueError, match="tokens"):
        TextEncoder(5, 3, 2)(torch.tensor(tokens))


def write_vocabulary(path, words=WORDS):
    ids = {word: number for number, word in enumerate(words)}
    path.write_bytes(pickle.dumps([[[1]], [[2]], {n: w for w, n in ids.items()}, ids], protocol=2))
    return path


def test_a_text_is_encoded_by_its_known_words(tmp_path):
    torch.save(TextEncoder(len(WORDS)).state_dict(), tmp_path / "text_encoder.pth")
    reader = load_text_reader(tmp_path / "text_encoder.pth", write_vocabulary(tmp_path / "captions.pickle"))
    text = reader.encode("The lucky person has BLOND hair.")
    assert text.dropped == ("lucky",) and text.words.shape == (1, 256, 5) and text.mask.tolist() == [[False] * 5]
    words, sentence = reader.encoder(torch.tensor([[2, 1, 3, 5, 4]]))
    torch.testing.assert_close((text.words, text.sentence), (words, sentence))
    with pytest.raises(UserError, match="none of its words") as caught:
        reader.encode("rain")
    assert "\n" not in str(caught.value)


def test_the_vocabulary_of_another_encoder_is_refused(tmp_path):
    torch.save(TextEncoder(9).state_dict(), tmp_path / "text_encoder.pth")
    with pytest.raises(UserError, match=r"6 words, but .*text_encoder.pth embeds 9"):
        load_text_reader(tmp_path / "text_encoder.pth", write_vocabulary(tmp_path / "captions.pickle"))


def test_an_encoder_is_saved_and_loaded(tmp_path):
    made = TextEncoder(5, 4, 3)
    save_network(made, tmp_path / "a.safetensors", "damsm-text")
    found = load_text_encoder(tmp_path / "a.safetensors")
    assert found.config == made.config and torch.equal(found.rnn.weight_hh_l0, made.rnn.weight_hh_l0)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda state: {"linear.weight": torch.zeros(2, 2)}, "no DAMSM text encoder"),
        (lambda state: {k: v for k, v in state.items() if k != "encoder.weight"}, "vocabulary is unknown"),
        (lambda state: {k: v for k, v in state.items() if not k.endswith("_reverse")}, "4 missing"),
        (lambda state: {**state, "rnn.weight_ih_l0": torch.zeros(9, 300)}, "misshapen"),
        (lambda state: {**state, "rnn.bias_ih_l0": torch.full((512,), torch.nan)}, "not finite"),
        (lambda state: {**state, "rnn.weight_ih_l1": torch.zeros(512, 256)}, "surplus"),
    ],
)
def test_spoilt_files_are_refused_in_one_line(tmp_path, spoil, said):
    torch.save(spoil(TextEncoder(5).state_dict()), tmp_path / "t.pth")
    with pytest.raises(UserError, match=said) as caught:
        load_text_encoder(tmp_path / "t.pth")
    assert "\n" not in str(caught.value) and "t.pth" in str(caught.value)
