"""Answers of strangers: what no page can have saved is refused in one line."""

from __future__ import annotations

import json

import pytest

from textedit_bench.cli.main import main
from textedit_bench.documents import read_json_document
from textedit_bench.errors import UserError
from textedit_bench.study.files import LARGEST, Key, read_answers


@pytest.fixture
def given(taste):
    key = taste.key(comparisons=3)
    return key, json.loads(taste.rater(key, "r", 0).model_dump_json())


def _write(tmp_path, value):
    path = tmp_path / "answers.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def test_a_file_is_read_as_it_was_saved(given, tmp_path):
    key, value = given
    (read,) = read_answers([_write(tmp_path, value)], key)
    assert json.loads(read.model_dump_json()) == value


BAD = {
    "no json": (lambda v: "{", "Invalid JSON"),
    "a list": (lambda v: [], "Input should be an object"),
    "another study": (lambda v: v | {"study": "x" * 100}, "they are of study"),
    "a participant with markup": (lambda v: v | {"participant": "<b>x</b>"}, "field participant"),
    "another format": (lambda v: v | {"format": 2}, "field format"),
    "a further field": (lambda v: v | {"more": 1}, "field more: Extra inputs"),
    "no answers": (lambda v: {n: v[n] for n in v if n != "answers"}, "field answers: Field required"),
    "an unknown trial": (lambda v: v | {"answers": [v["answers"][0] | {"trial": "t99"}]}, "no page of this study"),
    "a trial twice": (lambda v: v | {"answers": v["answers"][:1] * 2}, "no page of this study"),
    "a picture that is not there": (lambda v: v | {"answers": [v["answers"][0] | {"chosen": 2}]}, "no page"),
    "a negative picture": (lambda v: v | {"answers": [v["answers"][0] | {"chosen": -1}]}, "no page"),
    "a picture shown twice": (lambda v: v | {"answers": [v["answers"][0] | {"shown": [0, 0]}]}, "no page"),
    "a text for a number": (lambda v: v | {"answers": [v["answers"][0] | {"chosen": "0"}]}, "field answers.0.chosen"),
    "a truth for a number": (lambda v: v | {"answers": [v["answers"][0] | {"chosen": True}]}, "answers.0.chosen"),
    "brackets without end": (lambda v: "[" * 100_000, "Invalid JSON"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_answers_are_refused_in_one_line(given, tmp_path, capsys, case):
    key, value = given
    spoil, message = BAD[case]
    path = _write(tmp_path, spoil(value))
    (tmp_path / "key.json").write_text(key.model_dump_json())
    assert main(["study", "analyse", str(tmp_path / "key.json"), str(path)]) == 2
    err = capsys.readouterr().err
    assert message in err and str(path) in err and err.count("\n") == 1 and len(err) < 500


def test_two_files_of_one_participant_and_a_large_or_missing_file_are_refused(given, tmp_path):
    key, value = given
    path = _write(tmp_path, value)
    with pytest.raises(UserError, match="participant r has another file too"):
        read_answers([path, path], key)
    with pytest.raises(UserError, match="cannot be read"):
        read_answers([tmp_path / "none.json"], key)
    path.write_bytes(b" " * (LARGEST + 1))
    with pytest.raises(UserError, match="valid: at most"):
        read_answers([path], key)


@pytest.mark.parametrize("spoil", [{"forms": [["t"]]}, {"metrics": {}}, {"trials": {}, "forms": []}])
def test_a_key_whose_parts_do_not_fit_is_refused(given, tmp_path, spoil):
    key, _ = given
    path = _write(tmp_path, json.loads(key.model_dump_json()) | spoil)
    with pytest.raises(UserError, match="do not fit together"):
        read_json_document(path, Key, "key", LARGEST)
