"""Leakage, matched effect, ranks, audit and control checks from stored cells with known values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from textedit_bench.bench.cell import Manifest, digest_of
from textedit_bench.bench.scoring import write_table
from textedit_bench.report.audit import (
    audit_frame,
    audit_markdown,
    judge_rankings_frame,
    judge_rankings_markdown,
    overfit_frame,
    scored_edits,
)
from textedit_bench.report.collect import ComparableCells, StoredCell
from textedit_bench.report.control_checks import check_controls
from textedit_bench.report.leakage import largest_leak, leakage_frame, leakage_markdown
from textedit_bench.report.paired_tests import can_tell_apart, paired_tests_frame, pairs_markdown
from textedit_bench.report.pooled import ranks_frame, ranks_markdown
from textedit_bench.report.rows import ColumnSpec
from textedit_bench.report.tradeoff import tradeoff_frame, tradeoff_markdown
from textedit_bench.report.write import write_analysis

IMAGES = [f"image-{i}" for i in range(10)]
STRENGTHS = [0.0, 1.0, 2.0]
LOWER = {"lpips", "lpips_inversion", "geometry_drift"}


@pytest.fixture
def cell(tmp_path):
    """``cell(method, prompt, asked, {metric: [3 strengths x 10 images]})`` stores a scored cell."""

    def make(method: str, prompt: str, asked: str, values: dict[str, Any], **options: Any) -> StoredCell:
        frames = []
        for metric, given in values.items():
            grid = np.broadcast_to(np.asarray(given, float), (len(STRENGTHS), len(IMAGES)))
            for strength, row in zip(STRENGTHS, grid, strict=True):
                state = np.where(np.isfinite(row), "ok", options.get("state", "attribute hidden"))
                frame = pd.DataFrame({"image": IMAGES, "value": row, "state": state})
                frames.append(frame.assign(metric=metric, strength=strength, protocol=metric))
        records = pd.concat(frames, ignore_index=True).assign(dataset="d", method=method, prompt_id=prompt, seed=0)
        matched = options.get("matched")
        identity = {
            "dataset": "d", "tier": "mini", "method": method, "prompt_id": prompt, "seed": 0, "strengths": STRENGTHS,
            "prompt": {"target": prompt, "attribute": asked}, "settings": options.get("settings", {}),
            "matched_to": matched.digest if matched else None,
        }  # fmt: skip
        listing = {
            "title": method.title(), "default_strength": 1.0, "control": options.get("control", False), "trained": True,
            "matched_method": matched.identity.method if matched else None,
            "matched_title": matched.listing.title if matched else None,
        }  # fmt: skip
        protocols = {
            name: {"id": name, "title": name, "higher_is_better": name not in LOWER, "decimals": 3, "scope": "image",
                   "in_loop": "in_loop" in name}
            for name in values
        }  # fmt: skip
        path = tmp_path / "cells" / digest_of(identity)
        path.mkdir(parents=True)
        write_table(records, path / "records.parquet")
        manifest = {
            "identity": identity,
            "listing": listing,
            "infer": {"ids": IMAGES},
            "score": {"protocols": protocols},
        }
        return StoredCell(path, Manifest.model_validate(manifest))

    return make


def part(*cells: StoredCell) -> ComparableCells:
    return ComparableCells("d", list(cells), None)


def at_one(values: Any) -> np.ndarray:
    """Values at strength 1; zero elsewhere."""
    grid = np.zeros((3, 10))
    grid[1] = values
    return grid


def test_the_leakage_matrix_by_hand(cell, tmp_path):
    hair = cell("m", "blond", "hair=blond", {"changed_hair": at_one([1] * 8 + [0] * 2), "changed_hat": at_one(0)})
    half = np.where(np.arange(10) < 4, 1.0, np.where(np.arange(10) < 8, 0.0, np.nan))
    hat = cell("m", "cap", "hat=cap", {"changed_hair": at_one(half), "changed_hat": at_one(1)})
    frame = leakage_frame([part(hair, hat)])
    rates = frame.pivot(index="asked", columns="attribute", values="rate")
    np.testing.assert_allclose(rates.loc["hair", ["hair", "hat"]], [0.8, 0.0])
    np.testing.assert_allclose(rates.loc["hat", ["hair", "hat"]], [0.5, 1.0])
    assert frame.set_index(["asked", "attribute"]).loc[("hat", "hair"), "n"] == 8
    page = leakage_markdown(frame)
    assert "| hair | **80** | 0 |" in page and "| hat | 50 | **100** |" in page
    assert largest_leak(frame) == "d; largest leakage: M changes hair in 50 % of edits for hat"
    assert largest_leak(frame[frame["asked"] == "hair"]) == ""
    assert leakage_frame([part(cell("x", "p", "hair=a", {"lpips": 0.1}))]).empty


def curve(top: float, cost: float) -> dict[str, Any]:
    effect = np.array([0.0, top / 2, top])[:, None]
    return {"success": effect, "preservation": 1 - cost * effect}


def test_methods_are_compared_where_all_of_them_get(cell):
    rows = [cell("far", p, "hair=b", curve(1.0, 0.5)) for p in ("p", "q")]
    rows += [cell("near", p, "hair=b", curve(0.4, 0.25)) for p in ("p", "q")]
    rows += [cell("control", p, "hair=b", curve(0.0, 0.0), control=True) for p in ("p", "q")]
    frame = tradeoff_frame([part(*rows)]).set_index("method")
    assert set(frame.index) == {"far", "near"} and frame["reference"].tolist() == pytest.approx([0.4, 0.4])
    assert frame.loc["far", "kept_at_50"] == pytest.approx(1 - 0.5 * 0.2)
    assert frame.loc["near", "kept_at_50"] == pytest.approx(1 - 0.25 * 0.2)
    assert frame.loc["far", "area"] == pytest.approx(0.9) and frame.loc["far", "reach"] == pytest.approx(1.0)
    assert "0.950 [0.950, 0.950]" in tradeoff_markdown(frame.reset_index())


def test_ranks_over_prompts_leave_controls_and_networks_in_the_loop_out(cell):
    draw = np.random.default_rng(0)
    rows = []
    for prompt in "pqrstuvwxyz":
        for method, mean in (("good", 0.9), ("fair", 0.5), ("poor", 0.1)):
            values = {"success": mean + 0.01 * draw.normal(size=(3, 10)), "identity_in_loop": 0.5}
            rows.append(cell(method, prompt, "hair=b", values))
        rows.append(cell("control", prompt, "hair=b", {"success": 2.0, "identity_in_loop": 1.0}, control=True))
    frame = ranks_frame([part(*rows)])
    assert set(frame["metric"]) == {"success"} and frame["title"].tolist() == ["Good", "Fair", "Poor"]
    assert frame["average_rank"].tolist() == [1.0, 2.0, 3.0] and (frame["blocks"] == 11).all()
    assert frame["friedman_p"].iloc[0] < 0.001
    assert frame[["low", "high"]].to_numpy().tolist() == [[1, 1], [2, 2], [3, 3]]  # no resample changes the order
    assert "| Good | 1.00 [1.00, 1.00] |" in ranks_markdown(frame)
    assert ranks_frame([part(*[r for r in rows if r.identity.method == "good"])]).empty


def test_pairs_of_methods_are_tested_and_corrected_for_their_number(cell):
    draw = np.random.default_rng(2)
    spec = ColumnSpec("lpips", "LPIPS", False, 3, False, "image")
    rows = []
    for prompt in "pqrstuvw":
        for method, mean in (("far", 0.9), ("near", 0.3), ("twin", 0.3)):
            rows.append(cell(method, prompt, "hair=b", {"lpips": mean + 0.05 * draw.normal(size=(3, 10))}))
        rows.append(cell("control", prompt, "hair=b", {"lpips": 0.0}, control=True))
    frame = paired_tests_frame([part(*rows)], [spec]).set_index(["title", "other"])
    assert len(frame) == 6 and frame["p"].between(0, 1).all()
    assert frame.loc[("Near", "Far"), "better_by"] == pytest.approx(0.6, abs=0.05)  # a distance: lower is better
    assert frame.loc[("Far", "Near"), "better_by"] == -frame.loc[("Near", "Far"), "better_by"]
    assert frame.loc[("Near", "Far"), "p"] < 0.05 < frame.loc[("Near", "Twin"), "p"]
    assert paired_tests_frame([part(*rows[:1])], [spec]).empty


def test_a_method_with_few_prompts_does_not_take_them_from_the_others(cell):
    draw = np.random.default_rng(4)
    spec = ColumnSpec("lpips", "LPIPS", False, 3, False, "image")
    rows = [
        cell(method, prompt, "hair=b", {"lpips": mean + 0.05 * draw.normal(size=(3, 10))})
        for method, mean in (("far", 0.9), ("near", 0.3), ("hair", 0.1))
        for prompt in ("p" if method == "hair" else "pqrstuvw")
    ]
    frame = paired_tests_frame([part(*rows)], [spec])
    assert set(frame["title"]) == {"Far", "Near"} and (frame["prompts"] == 8).all() and (frame["p"] < 0.05).all()
    assert ranks_frame([part(*rows)])["title"].tolist() == ["Near", "Far"]


def test_few_photos_cannot_tell_many_methods_apart(cell):
    values = {"low": 0.0, "mid": 0.5, "high": 1.0, "top": 2.0}
    for photos, enough in ((6, False), (10, True)):
        there = np.arange(10) < photos
        cells = [
            cell(f"{name}{photos}", p, "hair=b", {"clip_score": np.where(there, value, np.nan)})
            for name, value in values.items()
            for p in "pqrstuvw"
        ]
        spec = ColumnSpec("clip_score", "CLIP score", True, 3, False, "image")
        frame = paired_tests_frame([part(*cells)], [spec])
        assert can_tell_apart(len(values), photos, 8) == enough == (frame["p"] < 0.05).any()


def test_a_difference_that_some_prompts_make_is_sure_of_these_prompts_alone(cell):
    draw = np.random.default_rng(0)
    rows = []
    for i, prompt in enumerate("pqrstuvw"):
        for method, step in (("One", 0.0), ("Two", 0.5 * (i == 0))):
            values = 0.4 + step + 0.02 * draw.normal(size=(3, 10))
            rows.append(cell(method, prompt, "hair=b", {"identity": values}, title=method))
    spec = ColumnSpec("identity", "Identity", True, 3, False, "image")
    frame = paired_tests_frame([part(*rows)], [spec])
    two = frame.set_index("title").loc["Two"]
    assert two["prompts"] == 8 and two["better_by"] == pytest.approx(0.0625, abs=0.01)
    assert two["p_fixed"] < 0.05 < two["p"]
    # What it takes to be seen over other prompts is what their scatter says: the textbook figure of eight means.
    steps = [0.5, *[0.0] * 7]
    error = np.std(steps, ddof=1) / 8**0.5
    expected = error * (stats.t.ppf(0.975, 7) + stats.t.ppf(0.9, 7))
    assert two["detectable"] == pytest.approx(expected, rel=0.1)
    assert two["detectable_fixed"] < 0.03
    text = pairs_markdown(frame)
    assert "| d | identity | 8 | 1 | 0 |" in text and "| 1 | " in text


def test_four_prompts_are_too_small_a_sample_for_a_test(cell):
    rows = [cell(m, p, "hair=b", {"lpips": np.full((3, 10), v)}) for m, v in (("a", 0.1), ("b", 0.9)) for p in "pqrs"]
    frame = paired_tests_frame([part(*rows)], [ColumnSpec("lpips", "LPIPS", False, 3, False, "image")])
    assert frame["p"].isna().all() and (frame["p_fixed"] < 0.05).all()
    assert "| d | lpips | 4 | 1 | - |" in pairs_markdown(frame)
    assert not can_tell_apart(2, 24, 4)


def test_ranks_of_methods_alike_have_intervals_and_use_common_images_only(cell):
    draw = np.random.default_rng(3)
    rows = []
    for prompt in "pqrstuvw":
        for method in ("one", "two"):
            values = draw.normal(size=(3, 10))
            values[:, 7:] = np.nan if method == "one" else 9.0  # what only one has a value of decides nothing
            rows.append(cell(method, prompt, "hair=b", {"clip_score": values}))
    frame = ranks_frame([part(*rows)])
    assert frame["average_rank"].sum() == pytest.approx(3.0)
    assert (frame["low"] < frame["average_rank"]).all() and (frame["average_rank"] < frame["high"]).all()
    assert frame["low"].min() >= 1.0 and frame["high"].max() <= 2.0
    assert frame["cliques"].tolist() == ["a", "a"]


def test_the_audit_finds_the_judge_that_sees_and_the_one_that_guesses(cell):
    draw = np.random.default_rng(1)
    cells = []
    for prompt in ("p", "q"):
        truth = draw.integers(0, 2, (3, 10)).astype(float)
        kept = draw.random((3, 10))
        values = {
            "success": truth,
            "clip_gain": truth + 0.01 * draw.normal(size=(3, 10)),
            "clip_score": draw.normal(size=(3, 10)),
            "clip_gain_in_loop": truth + 2.0,
            "preservation": kept,
            "lpips": -kept,  # a distance: lower is better
        }
        cells.append(cell("m", prompt, f"{prompt}=x", values))
    frame = audit_frame(scored_edits([part(*cells)]))
    rho = frame[frame["asked"] == "all"].set_index("metric")["rho"]
    assert rho["clip_gain"] > 0.8 > 0.5 > abs(rho["clip_score"])
    assert rho["lpips"] == pytest.approx(1.0)
    assert (frame["n"] <= 2 * 2 * 10).all()  # strength 0 does not count
    page = audit_markdown(frame, overfit_frame(scored_edits([part(*cells)])))
    assert "Best order over all attributes: `clip_gain" in page and "| p |" not in page.split("\n")[0]
    assert abs(overfit_frame(scored_edits([part(*cells)]))["gap"].iloc[0]) < 1e-9  # one method: nothing to differ from


def test_every_setting_of_a_method_has_its_own_overfit_gap(cell):
    cells = [
        cell("m", prompt, "hair=b", {"clip_gain": size, "clip_gain_in_loop": size**2}, settings={"size": size})
        for prompt in "pq"
        for size in (1.0, 2.0, 3.0)
    ]
    assert list(overfit_frame(scored_edits([part(*cells)]))["method"]) == [
        f"M (size={size})" for size in (1.0, 2.0, 3.0)
    ]


def test_judges_that_rank_methods_alike_and_the_wrong_way_round(cell):
    draw = np.random.default_rng(4)
    cells = []
    for prompt in "pqrs":
        for place, method in enumerate(("first", "next", "third", "last")):
            noise = 0.01 * draw.normal(size=(3, 10))
            better = 1.0 - 0.2 * place + noise
            values = {"success": better, "clip_gain": 9 * better, "clip_gain_in_loop": -better}
            values |= {"preservation": better, "lpips_inversion": 1 - better}
            cells.append(cell(method, prompt, "hair=b", values))
        control = {"success": 0.0, "clip_gain": 99.0}
        cells.append(cell("control", prompt, "hair=b", control, control=True))
    frame = judge_rankings_frame([part(*cells)]).set_index(["first", "second"])
    assert frame["tau"].to_dict() == {
        ("success", "clip_gain"): 1.0,
        ("success", "clip_gain_in_loop"): -1.0,
        ("clip_gain", "clip_gain_in_loop"): -1.0,
        ("preservation", "lpips_inversion"): 1.0,  # a distance: lower is better
    }
    assert (frame["methods"] == 4).all() and (frame["low"] == frame["tau"]).all()
    page = judge_rankings_markdown(frame.reset_index())
    assert "| d | effect | success | clip\\_gain | 1.00 [1.00, 1.00] | 4 |" in page
    assert judge_rankings_frame([part(*[c for c in cells if c.identity.method in ("first", "next")])]).empty


def test_files_are_written_and_those_no_longer_possible_removed(cell, tmp_path):
    (tmp_path / "ranks.csv").write_text("old")
    both = {**curve(1.0, 0.5), "changed_hair": at_one(1)}
    written = write_analysis([part(cell("m", "p", "hair=b", both))], [], tmp_path)
    assert {"matched.csv", "matched.md", "leakage.csv", "leakage.md", "leakage.png"} <= {path.name for path in written}
    assert all(path.stat().st_size > 50 for path in written)
    assert not (tmp_path / "ranks.csv").exists()


def test_expectations_of_controls(cell):
    steps = {"clip_direction": 0.4, "clip_gain": 5.0, "lpips": 0.2, "identity": 0.8}
    prompts = ("p", "q", "r")
    method = {p: cell("m", p, "hair=b", steps) for p in prompts}
    other = {"p": "q", "q": "r", "r": "p"}

    def rows(direction: float, lpips: float, success: float) -> ComparableCells:
        cells = list(method.values())
        for p in prompts:
            values = {"clip_direction": direction, "clip_gain": 0.1, "lpips": lpips, "identity": 0.8}
            options = {"control": True, "settings": {"of": [direction, lpips, success]}}
            cells.append(cell("wrong-prompt", p, "hair=b", values, **options, matched=method[other[p]]))
            truth = {"success": success, "clip_gain": 8.0, "clip_gain_photo": 8.0, "clip_direction": 0.6}
            cells.append(cell("real-attribute", p, "hair=b", truth, **options))
        return part(*cells)

    right = check_controls(rows(0.02, 0.2, 1.0))
    assert len(right) == 6 and all(check.passed for check in right)
    for broken in ((0.5, 0.2, 1.0), (0.02, 0.3, 1.0), (0.02, 0.2, 0.5)):
        assert [check.passed for check in check_controls(rows(*broken))].count(False) == 1
    assert check_controls(part(*method.values())) == []


def test_an_unchanged_control_may_have_no_value_where_it_must_not(cell):
    exact = {"lpips_inversion": 0.0, "identity_inversion": 1.0, "clip_gain": 0.0}
    silent = {"psnr_inversion": np.nan, "clip_direction": np.nan}
    right = cell("no-edit", "p", "hair=b", {**exact, **silent}, control=True)
    assert all(check.passed for check in check_controls(part(right))) and len(check_controls(part(right))) == 5
    changed = {**exact, **silent, "clip_direction": 0.3}
    moved = cell("no-edit", "p", "hair=b", changed, control=True, settings={"seed": 1})
    failed = [check for check in check_controls(part(moved)) if not check.passed]
    assert len(failed) == 1 and "10 of 10 have a value" in failed[0].sentence
