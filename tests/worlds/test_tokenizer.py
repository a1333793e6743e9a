"""The cut tokenizer agrees with the full one on its words and encodes anything else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from open_clip.tokenizer import SimpleTokenizer

from textedit_bench.worlds.networks.clip import CONTEXT_LENGTH, CutTokenizer, merges_for
from textedit_workshop.worlds.vocabulary import vocabulary

TOKENIZER = CutTokenizer(merges_for(vocabulary()))
FULL = SimpleTokenizer()


def test_known_words_are_cut_as_in_the_full_table() -> None:
    for word in vocabulary():
        pieces = [TOKENIZER.decoder[i] for i in TOKENIZER.encode(word)]
        assert pieces == [FULL.decoder[i] for i in FULL.encode(word)], word


def test_the_table_is_small_and_the_end_token_is_its_largest() -> None:
    assert TOKENIZER.vocab_size < 2_000
    assert TOKENIZER.eot_token_id == TOKENIZER.vocab_size - 1
    assert len(set(TOKENIZER.encoder.values())) == TOKENIZER.vocab_size


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_encodes_and_comes_back_as_the_full_tokenizer_gives_it_back(text: str) -> None:
    tokens = TOKENIZER.encode(text)
    assert all(0 <= t < TOKENIZER.vocab_size for t in tokens)
    assert TOKENIZER.decode(tokens) == FULL.decode(FULL.encode(text))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=200), min_size=1, max_size=4))
def test_batches_have_the_context_length_and_keep_the_end_token(texts: list[str]) -> None:
    tokens = TOKENIZER(texts)
    assert tokens.shape == (len(texts), CONTEXT_LENGTH)
    assert (tokens[:, 0] == TOKENIZER.sot_token_id).all()
    assert ((tokens == TOKENIZER.eot_token_id).sum(1) == 1).all()


@pytest.mark.parametrize(
    "text", ["a face with blond hair", "an old church at night", "a red sports car", "a tabby cat"]
)
def test_words_of_every_world_are_few_tokens(text: str) -> None:
    assert len(TOKENIZER.encode(text)) <= len(text.split()) + 1
