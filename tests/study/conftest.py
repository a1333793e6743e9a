"""Stored results, a small study of them, and raters whose taste is known."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from textedit_bench.study.files import Answer, Answers, Key, Trial

_SPEC = importlib.util.spec_from_file_location("stored_results", Path(__file__).parents[1] / "stored_results.py")
stored_results = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(stored_results)


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    return stored_results.store_results(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="session")
def store_results():
    """The function itself, for other results."""
    return stored_results.store_results


@pytest.fixture(scope="session")
def taste():
    """How strong each made-up method really is, and functions that make keys and answers."""
    return SimpleNamespace(truth=TRUTH, key=make_key, rater=rater)


TRUTH = {"A": 1.2, "B": 0.5, "C": 0.0, "D": -0.5, "E": -1.2}


def make_key(options: int = 2, comparisons: int = 120, seed: int = 0) -> Key:
    """Random comparisons for both questions, four checks each; ``good`` is the strength, ``bad`` its opposite."""
    rng = np.random.default_rng(seed)
    trials = {}
    for question in ("fits", "keeps"):
        for n in range(comparisons):
            edits = [str(name) for name in rng.permutation(list(TRUTH))[:options]]
            values = {"good": [TRUTH[e] for e in edits], "bad": [-TRUTH[e] for e in edits]}
            trials[f"{question}-{n}"] = Trial(
                question=question, prompt="p", image=f"i{n % 10}", edits=edits, values=values, right=None
            )
        for n in range(4):
            trials[f"{question}-check-{n}"] = Trial(
                question=question,
                prompt="p",
                image="i",
                edits=["right", *["wrong"] * (options - 1)],
                values={},
                right=0,
            )
    metrics = {"good": ("Good metric", True), "bad": ("Bad metric", True)}
    return Key(tier="mini", dataset="ffhq", seed=0, metrics=metrics, trials=trials, forms=[list(trials)])


def rater(key: Key, name: str, seed: int, *, blind: bool = False) -> Answers:
    """Choose by Luce's rule from the true strengths, and every check right; or anything at all where blind."""
    rng = np.random.default_rng(seed)
    answers = []
    for trial, facts in key.trials.items():
        size = len(facts.edits)
        if blind:
            chosen = int(rng.integers(size))
        elif facts.right is not None:
            chosen = facts.right
        else:
            odds = np.exp([TRUTH[edit] for edit in facts.edits])
            chosen = int(rng.choice(size, p=odds / odds.sum()))
        answers.append(Answer(trial=trial, shown=rng.permutation(size).tolist(), chosen=chosen))
    return Answers(format=1, study=key.study, participant=name, answers=answers)
