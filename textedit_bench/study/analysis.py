"""What people prefer, how far they agree, and which automatic metrics say the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from textedit_bench.metrics.statistics import two_way_bootstrap
from textedit_bench.metrics.statistics.choices import choice_strengths, krippendorff_alpha
from textedit_bench.metrics.statistics.components import Values
from textedit_bench.report.layout import Block, Entry, Line, Page
from textedit_bench.study.files import FITS, KEEPS, Answers, Key

FEWEST = 4
"""Attention checks that must have been answered: who guesses passes four of four once in 16 times."""
WORDS = {FITS: "Fits the text", KEEPS: "Keeps the photo"}
COLUMNS = ("what", "name", "answers", "value", "low", "high")
SHARES = {"preferred": "what people choose", "agrees": "metrics that choose the same"}


def attentive(key: Key, given: Sequence[Answers], bar: float) -> tuple[list[Answers], dict[str, str]]:
    """Whose answers count, and who else there was: of the checks answered, a share of ``bar`` has to be right."""
    kept, left_out = [], {}
    for one in given:
        checked = [key.trials[a.trial].right == a.chosen for a in one.answers if key.trials[a.trial].right is not None]
        if len(checked) >= FEWEST and np.mean(checked) >= bar:
            kept.append(one)
        else:
            left_out[one.participant] = f"{sum(checked)} of {len(checked)} attention checks right"
    return kept, left_out


def results_frame(key: Key, kept: Sequence[Answers]) -> pd.DataFrame:
    """One row per question and figure; nan if unknown.

    ``preferred``: share of the answers in which a method was shown that chose it. ``strength``: its logarithmic
    Bradley-Terry strength. ``agrees``: share of pairs in which a metric prefers what people chose. ``alpha``: agreement
    of raters.
    """
    rows = [(question, *figures) for question in WORDS for figures in _question(key, kept, question)]
    return pd.DataFrame(rows, columns=["question", *COLUMNS])


def _question(key: Key, kept: Sequence[Answers], question: str) -> Iterator[tuple[Any, ...]]:
    trials = {n: t for n, t in key.trials.items() if t.question == question and t.right is None}
    answers = [(r, a.trial, a.chosen) for r, one in enumerate(kept) for a in one.answers if a.trial in trials]
    if not answers:
        return
    at, unknown = {name: i for i, name in enumerate(trials)}, [None] * key.options
    methods = sorted({edit for _, name, _ in answers for edit in trials[name].edits})
    metrics = [metric for metric in key.metrics if any(metric in trial.values for trial in trials.values())]
    chosen, agrees = (np.full((len(names), len(kept), len(trials)), np.nan) for names in (methods, metrics))
    counts = np.zeros((len(trials), key.options))
    for r, name, choice in answers:
        counts[at[name], choice] += 1
        for i, edit in enumerate(trials[name].edits):
            chosen[methods.index(edit), r, at[name]] = i == choice
        for m, metric in enumerate(metrics):
            agrees[m, r, at[name]] = _agrees(trials[name].values.get(metric, unknown), choice, key.metrics[metric][1])
    yield from _shares("preferred", methods, chosen)
    shown = [[methods.index(edit) for edit in trials[name].edits] for _, name, _ in answers]
    raters, asked, choices = zip(*answers, strict=True)
    found = choice_strengths(shown, choices, raters, asked)
    for figures in zip(methods, found.value, found.low, found.high, strict=True):
        yield "strength", figures[0], len(answers), *figures[1:]
    yield from _shares("agrees", metrics, agrees)
    yield "alpha", "raters", int(counts[counts.sum(1) > 1].sum()), krippendorff_alpha(counts), np.nan, np.nan


def _agrees(values: Sequence[float | None], choice: int, higher: bool) -> float:
    """Share of the other pictures that a metric finds worse than the chosen one, a tie for a half; nan if unknown."""
    known = np.array(values, np.float64) * (1.0 if higher else -1.0)
    return float((1.0 + np.sign(known[choice] - np.delete(known, choice)).mean()) / 2.0)


def _shares(what: str, names: Sequence[str], values: Values) -> Iterator[tuple[Any, ...]]:
    """Means of [names, raters, trials], raters and trials both drawn, the highest first."""
    known = np.flatnonzero(np.isfinite(values).any((1, 2)))
    if len(known):
        found = two_way_bootstrap(values[known], bounds=(0.0, 1.0))
        for i in np.argsort(-found.mean, kind="stable"):
            n = int(np.isfinite(values[known[i]]).sum())
            yield what, names[known[i]], n, found.mean[i], found.low[i], found.high[i]


def results_page(key: Key, frame: pd.DataFrame, raters: int, left_out: dict[str, str]) -> Page:
    """The results as a reader sees them."""
    out = "".join(f" {name}: {why}." for name, why in left_out.items())
    notes = [
        f"Study {key.study} on {key.dataset}, tier {key.tier}. Raters: {raters}; left out: {len(left_out)}.{out}",
        f"Share of what people choose: of the answers to which it was shown; by chance {100 / key.options:.0f} %. "
        "Share of a metric: of the pairs in which it prefers what was chosen, ties by half; by chance 50 %.",
        "Strength: Bradley and Terry's, 0 on average; a is preferred to b as exp(a) to exp(b). Brackets: 95 % interval "
        "over raters and comparisons.",
    ]
    blocks = []
    for question, own in frame.groupby("question", sort=False):
        strengths = own[own["what"] == "strength"].set_index("name")
        for what, words in SHARES.items():
            lines = []
            for row in own[own["what"] == what].to_dict("records"):
                agrees = what == "agrees"
                title = key.metrics[row["name"]][0] if agrees else row["name"]
                strength = Entry("-") if agrees else _entry(strengths.loc[row["name"]], 1.0, 2)
                lines.append(Line(title, False, str(row["answers"]), (_entry(row, 100.0, 1), strength)))
            blocks.append(Block(f"{WORDS[question]}: {words}", tuple(lines)))
        alpha = own[own["what"] == "alpha"].iloc[0]
        if alpha["answers"]:
            said = f"{alpha['value']:.2f} over {alpha['answers']} answers"
            notes.append(f"{WORDS[question]}: agreement of raters (Krippendorff's alpha) {said}.")
    headings = ("Method or metric", "Answers", "Share, %", "Strength")
    return Page(f"Study with people on {key.dataset}", headings, tuple(blocks), tuple(notes))


def _entry(row: Any, factor: float, decimals: int) -> Entry:
    value, low, high = (f"{factor * row[name]:.{decimals}f}" for name in COLUMNS[3:])
    return Entry(value, f"[{low}, {high}]" if np.isfinite(row["low"]) else "")
