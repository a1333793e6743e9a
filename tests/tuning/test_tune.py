"""Knobs are chosen on development images and prompts alone, and the best candidate wins."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textedit_bench.bench.store import Store, Tuned, read_tuned, write_tuned
from textedit_bench.errors import UserError
from textedit_bench.info import MethodInfo
from textedit_bench.tuning.choose import Scored, axes_of, best, combinations, read_grid, score_strengths

INFO = MethodInfo("m", "M", "", "", "x:Y", "w+", "none", settings={"beta": 0.1, "steps": 3})


def rows(strength: float, success: list[float], preservation: list[float], prompt: str = "p") -> pd.DataFrame:
    values = [("success", v) for v in success] + [("preservation", v) for v in preservation]
    frame = pd.DataFrame(values, columns=["metric", "value"])
    return frame.assign(strength=strength, prompt_id=prompt, state="ok", image=range(len(frame)))


def test_every_combination_is_tried_and_unknown_settings_are_refused():
    assert combinations({"beta": [0.1, 0.2], "steps": [1]}, INFO) == [
        {"beta": 0.1, "steps": 1}, {"beta": 0.2, "steps": 1}
    ]  # fmt: skip
    assert combinations({}, INFO) == [{}]
    with pytest.raises(UserError, match="setting"):
        combinations({"bta": [1.0]}, INFO)
    assert read_grid(["beta=1"], {"beta": 1}) == {"beta": [1]}
    with pytest.raises(UserError, match="beta"):
        read_grid(["beta=[]"], {"beta": []})


def test_scores_are_means_over_prompts_of_means_over_images_and_skip_strength_zero():
    records = pd.concat(
        [
            rows(0.0, [1, 1], [1, 1]),
            rows(1.0, [1, 0], [1.0, 0.8]),
            rows(1.0, [1], [0.5], "q"),  # one image counts as much as two
            rows(2.0, [1, 1], [0.2, 0.2]),
        ]
    )
    assert axes_of(records) == ("success", "preservation")
    scored = {s.strength: s for s in score_strengths(records, ("success", "preservation"))}
    assert set(scored) == {1.0, 2.0}
    assert (scored[1.0].effect, scored[1.0].kept) == pytest.approx((0.75, 0.7))
    assert best(list(scored.values())).strength == 1.0
    failed = records.assign(state="attribute hidden")
    assert axes_of(failed) is None and score_strengths(failed, ("success", "preservation")) == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=6))
def test_the_best_is_no_worse_than_any_and_the_weakest_of_equals(pairs):
    scored = [Scored(float(i + 1), *pair) for i, pair in enumerate(pairs)]
    top = best(scored)
    assert all(top.score >= s.score for s in scored)
    assert top.strength == min(s.strength for s in scored if s.score == top.score)


def test_a_choice_is_read_back_and_damage_is_named(tmp_path):
    store = Store(tmp_path)
    tuned = Tuned(
        method="m", dataset="d", tier="mini", settings={"beta": 0.2}, strength=1.5, objective="o", score=0.7,
        images="i", prompts=("p",), tried=({"strength": 1.5},),
    )  # fmt: skip
    path = write_tuned(store, tuned)
    assert read_tuned(store, "mini", "d", "m") == tuned
    path.write_text("{}")
    with pytest.raises(UserError, match="cannot be read"):
        read_tuned(store, "mini", "d", "m")


def test_a_tuning_looks_at_development_images_and_prompts_only(monkeypatch, tmp_path):
    from textedit_bench.tuning import choose as module

    asked = []

    def stop(request, reporter):
        asked.append(request)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "run_cells", stop)
    request = module.TuneRequest(method="ffclip", dataset="ffhq", tier="mini", results=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        module.tune(request)
    assert asked[0].split == "development" and not asked[0].controls and asked[0].results != tmp_path
    card = module.load_dataset("ffhq").tier("mini")
    evaluation = {p.id for p in card.prompts if p.split == "evaluation"}
    assert asked[0].prompts and not evaluation & set(asked[0].prompts)
    with pytest.raises(UserError, match="control"):
        module.tune(module.TuneRequest(method="no-edit", dataset="ffhq", tier="mini", results=tmp_path))
