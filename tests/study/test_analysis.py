"""Raters with a known truth are recovered, a blind one is caught, and metrics are held against people."""

from __future__ import annotations

import numpy as np
import pytest

from textedit_bench.report.formats import render_markdown, render_plain_page
from textedit_bench.study.analysis import attentive, results_frame, results_page


def _figures(frame, question, what):
    own = frame[(frame["question"] == question) & (frame["what"] == what)]
    return own.set_index("name")


@pytest.mark.parametrize("options", [2, 4])
def test_the_truth_is_recovered_in_order_and_size(taste, options):
    key = taste.key(options)
    frame = results_frame(key, [taste.rater(key, f"r{i}", i) for i in range(12)])
    for question in ("fits", "keeps"):
        found = _figures(frame, question, "strength")
        assert found["value"].sort_values(ascending=False).index.tolist() == list(taste.truth)
        assert np.abs(found["value"] - found.index.map(taste.truth)).max() < 0.2
        assert (found["high"] - found["low"]).max() < 0.7
        shares = _figures(frame, question, "preferred")
        assert shares.index.tolist() == list(taste.truth) and (shares["low"] <= shares["value"]).all()
        # Every answer chooses one of its options.
        assert (shares["value"] * shares["answers"]).sum() == pytest.approx(12 * 120)


def test_a_metric_that_knows_the_truth_predicts_people_and_its_opposite_does_not(taste):
    key = taste.key()
    agrees = _figures(results_frame(key, [taste.rater(key, f"r{i}", i) for i in range(8)]), "fits", "agrees")
    assert agrees.loc["good", "low"] > 0.6
    assert agrees.loc["good", "value"] + agrees.loc["bad", "value"] == pytest.approx(1.0)


def test_intervals_hold_the_truth_as_often_as_they_say(taste):
    """Strengths of many small studies with comparisons of their own: 95 % intervals, 90 to 99 % of the time."""
    held = []
    for study in range(40):
        key = taste.key(comparisons=40, seed=study)
        found = _figures(
            results_frame(key, [taste.rater(key, f"r{i}", 100 * study + i) for i in range(6)]), "fits", "strength"
        )
        held += [row.low <= taste.truth[name] <= row.high for name, row in found.iterrows()]
    assert 0.9 <= np.mean(held) <= 0.995


def test_a_blind_rater_is_caught_and_named(taste):
    key = taste.key()
    given = [taste.rater(key, f"good{i}", i) for i in range(5)] + [taste.rater(key, "blind", 7, blind=True)]
    kept, left_out = attentive(key, given, 0.8)
    assert [one.participant for one in kept] == [f"good{i}" for i in range(5)] and list(left_out) == ["blind"]
    page = results_page(key, results_frame(key, kept), len(kept), left_out)
    assert f"Raters: 5; left out: 1. blind: {left_out['blind']}." in page.footnotes[0]
    assert all(words in render_plain_page(page) for words in ("Bad metric", "Krippendorff", "left out: 1"))
    assert "**Keeps the photo: metrics that choose the same**" in render_markdown(page)


def test_few_blind_raters_pass(taste):
    key = taste.key(comparisons=1)
    passed = [len(attentive(key, [taste.rater(key, "b", seed, blind=True)], 0.8)[0]) for seed in range(400)]
    assert np.mean(passed) < 0.08  # seven or eight of eight by chance: 3.5 %


def test_who_stopped_before_enough_checks_does_not_count(taste):
    key = taste.key()
    whole = taste.rater(key, "r", 0)
    early = whole.model_copy(update={"answers": [a for a in whole.answers if "check" not in a.trial]})
    assert attentive(key, [early], 0.0) == ([], {"r": "0 of 0 attention checks right"})


def test_agreement_is_high_where_all_follow_one_rule_and_none_where_all_guess(taste):
    key = taste.key()
    same = [taste.rater(key, f"r{i}", 5) for i in range(3)]
    assert _figures(results_frame(key, same), "fits", "alpha")["value"].item() == pytest.approx(1.0)
    blind = [taste.rater(key, f"b{i}", i, blind=True) for i in range(20)]
    assert abs(_figures(results_frame(key, blind), "keeps", "alpha")["value"].item()) < 0.05


def test_no_answers_give_an_empty_page(taste):
    key = taste.key()
    page = results_page(key, results_frame(key, []), 0, {})
    assert page.blocks == () and "Raters: 0" in render_plain_page(page)
