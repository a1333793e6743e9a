"""What ``score --source`` and ``tune`` refuse, before any network is loaded."""

from __future__ import annotations

import pytest

from textedit_bench.registry import dataset_names, list_methods

METHOD = next(card.name for card in list_methods() if not card.control)
CONTROL = next(card.name for card in list_methods() if card.control)
ON = ("--dataset", dataset_names()[0], "--tier", "mini")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("score", *ON, "--source", "."), "both folders are needed"),
        (("score", *ON, "--source", ".", "--edited", "nowhere", "--prompt", "x"), "nowhere is not a folder"),
        (("score", *ON, "--source", ".", "--edited", "."), "0 prompts were given; valid: one"),
        (("score", *ON, "--source", ".", "--edited", ".", "--prompt", "a,b"), "2 prompts were given"),
        (("score", "--source", ".", "--edited", ".", "--prompt", "a"), "0 data sets were given"),
        (("score", *ON, "-m", METHOD, "--source", ".", "--edited", "."), "pictures have no method"),
        (("score", *ON, "--export", "x.npz"), "valid with --source and --edited only"),
        (("tune", "-m", METHOD, *ON, "--grid", "nothing=[1]"), "unknown setting of"),
        (("tune", "-m", METHOD, *ON, "--grid", "nothing=[]"), "lists no value"),
        (("tune", "-m", METHOD, *ON, "--grid", "nothing"), "is not NAME=VALUE"),
        (("tune", "-m", CONTROL, *ON), "is a control"),
        (("tune", "-m", "zzzz", *ON), "unknown method 'zzzz'"),
        (("bench", "-m", METHOD, *ON, "--tuned", "--results", "NOT_THERE"), "was not tuned on"),
    ],
)
def test_bad_input_is_one_line_and_code_2(run, tmp_path, words, said):
    ended = run(*(str(tmp_path / "r") if word == "NOT_THERE" else word for word in words))
    assert ended.code == 2 and said in ended.err and ended.err.count("\n") == 1 and not ended.out
