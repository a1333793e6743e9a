"""Released vocabularies: tokens as the released code makes them, and nothing in a file is executed or believed."""

from __future__ import annotations

import collections
import os
import pickle
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textedit_bench.errors import UserError
from textedit_bench.models.vocabulary import Vocabulary, read_vocabulary

WORDS = ["<end>", "person", "the", "has", "hair", "nave", "it", "s"]
IDS = {word: number for number, word in enumerate(WORDS)}
INVERSE = dict(enumerate(WORDS))


@pytest.fixture
def written(tmp_path):
    def write(content, protocol=2):
        path = tmp_path / "captions.pickle"
        path.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content, protocol=protocol))
        return path

    return write


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_vocabulary_is_read(written, protocol):
    found = read_vocabulary(written([[[1, 2]], [[3]], INVERSE, IDS], protocol))
    assert found.ids == IDS and len(found) == 8


def test_byte_strings_of_python_2_are_words(written):
    """As its pickler writes them: ``U`` and a length byte before each."""

    def text(word):
        return b"U" + bytes([len(word)]) + word.encode()

    numbers = [b"K" + bytes([number]) for number in range(len(WORDS))]
    forward = b"".join(number + text(word) for number, word in zip(numbers, WORDS, strict=True))
    back = b"".join(text(word) + number for number, word in zip(numbers, WORDS, strict=True))
    raw = b"\x80\x02](]](K\x01K\x02ea]}(" + forward + b"u}(" + back + b"ue."
    assert read_vocabulary(written(raw)).ids == IDS


@pytest.mark.parametrize(
    ("text", "ids", "dropped"),
    [
        ("The person has HAIR.", (2, 1, 3, 4), ()),
        ("the\ttall person", (2, 1), ("tall",)),
        ("it's naïve", (6, 7, 5), ()),
        ("the\ufffd\ufffdperson", (2, 1), ()),
        ("the\ufffdperson", (2, 1), ()),
        ("<end> person", (1,), ("end",)),
        ("hair-person_has", (4,), ("person_has",)),
        ("人 hair", (4,), ("人",)),
        ("rain", (), ("rain",)),
        ("", (), ()),
    ],
)
def test_tokens(tmp_path, text, ids, dropped):
    found = Vocabulary(tmp_path, IDS).find(text)
    assert (found.ids, found.dropped) == (ids, dropped)


@given(st.text())
def test_no_text_becomes_padding_and_no_word_is_lost(text):
    found = Vocabulary("captions.pickle", IDS).find(text)
    assert all(0 < number < len(WORDS) for number in found.ids)
    assert all(word in text.lower() for word in found.dropped)


def test_a_text_without_a_known_word_is_refused(tmp_path):
    vocabulary = Vocabulary(tmp_path / "captions.pickle", IDS)
    assert vocabulary.tokens("hair").ids == (4,)
    for text in ("rain", "", "<end>"):
        with pytest.raises(UserError, match="none of its words") as caught:
            vocabulary.tokens(text)
        assert "captions.pickle" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"a": 1}, "no vocabulary"),
        ([[], [], INVERSE], "no vocabulary"),
        ([[], [], WORDS, IDS], "no dictionaries"),
        ([[], [], {}, {}], "0 words"),
        ([[], [], INVERSE, {**IDS, "hair": 3}], "do not pair up"),
        ([[], [], {**INVERSE, 8: "x"}, IDS], "do not pair up"),
        ([[], [], {n + 1: w for n, w in INVERSE.items()}, {w: n + 1 for w, n in IDS.items()}], "do not pair up"),
        ([[], [], INVERSE, {**IDS, "hair": "4"}], "other things"),
        ([[], [], INVERSE, {**IDS, "hair": True}], "other things"),
        ([[], [], {n: f"w{n}" for n in range(70_000)}, {f"w{n}": n for n in range(70_000)}], "70000 words"),
        ([[], [], INVERSE, collections.OrderedDict(IDS)], "OrderedDict"),
        (pickle.dumps([[], [], INVERSE, IDS], protocol=2)[:-20], "damaged"),
        (b"", "empty"),
        (b"<html>", "web page"),
    ],
)
def test_other_files_are_refused_in_one_line(written, content, said):
    path = written(content)
    with pytest.raises(UserError, match=said) as caught:
        read_vocabulary(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_nothing_is_executed(written, tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "executed"),)

    path = written([[], [], INVERSE, {**IDS, "hair": Trap()}])
    with pytest.raises(UserError, match="mkdir"):
        read_vocabulary(path)
    assert not (tmp_path / "executed").exists()


def test_a_zipped_vocabulary_is_to_be_unpacked(tmp_path):
    path = tmp_path / "captions.pickle.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("captions.pickle", b"")
    with pytest.raises(UserError, match="unpack it first"):
        read_vocabulary(path)
