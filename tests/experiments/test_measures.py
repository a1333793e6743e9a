"""The numbers of the measures against independent ways to compute them."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import stats

from textedit_bench.experiments.alignment import alignment, differences, unit
from textedit_bench.experiments.conditions import Conditions
from textedit_bench.experiments.experiment import Latency
from textedit_bench.experiments.intervals import jackknife_interval, mean_interval
from textedit_bench.experiments.latency import measure_latency, newest_training
from textedit_bench.experiments.measured import Heading, Measured
from textedit_bench.experiments.offsets import pair_cosines
from textedit_bench.experiments.variants import mark_best, spread_rows
from textedit_bench.info import MethodInfo


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def test_the_interval_of_a_mean_is_students():
    x = draw(7)
    low, high = stats.t.interval(0.95, 6, loc=x.mean(), scale=stats.sem(x))
    assert mean_interval(x) == pytest.approx((x.mean(), low, high))
    assert math.isnan(mean_interval([1.0])[1]) and math.isnan(mean_interval([])[0])
    assert mean_interval([1.0, math.nan, 3.0])[0] == 2.0


def test_the_jackknife_of_a_mean_is_its_standard_error():
    x = draw(12)
    value, low, high = jackknife_interval(12, lambda rows: float(x[rows].mean()))
    expected = stats.t.interval(0.95, 11, loc=x.mean(), scale=stats.sem(x))
    assert (value, low, high) == pytest.approx((x.mean(), *expected))
    assert math.isnan(jackknife_interval(2, lambda rows: 1.0)[1])


def test_cosines_of_all_pairs():
    steps = draw(5, 4)
    own = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in combinations(steps, 2)]
    assert sorted(pair_cosines(steps)) == pytest.approx(sorted(own))
    assert pair_cosines(np.ones((3, 4))) == pytest.approx(1.0)


def test_alignment_of_pairs_by_hand():
    images, texts = unit(draw(6, 5)), unit(draw(6, 5, seed=1))
    pairs = [(i, j, float(texts[i] @ images[j])) for i in range(6) for j in range(6)]
    matched = np.mean([c for i, j, c in pairs if i == j])
    shuffled = np.mean([c for i, j, c in pairs if i != j])
    recall = np.mean([max(range(6), key=lambda j, i=i: texts[i] @ images[j]) == i for i in range(6)])
    found = [alignment(images, texts, m) for m in ("cosine_matched", "cosine_shuffled", "recall_at_1", "mean_gap")]
    assert found[:3] == pytest.approx([matched, shuffled, recall])
    assert found[3] == pytest.approx(np.sqrt(((images.mean(0) - texts.mean(0)) ** 2).sum()))
    assert alignment(images, images, "recall_at_1") == 1.0


def test_a_shift_between_pictures_and_texts_is_gone_in_their_differences():
    images = draw(30, 8)
    shift = np.full(8, 2.0)
    plain = unit(images), unit(images + shift)
    moved = differences(images, images + shift, seed=3)
    assert alignment(*plain, "mean_gap") > 0.3
    assert alignment(*moved, "mean_gap") == pytest.approx(0.0, abs=1e-12)
    assert alignment(*moved, "cosine_matched") == pytest.approx(1.0)


def test_nobody_is_their_own_partner():
    rows = np.arange(1.0, 8.0)[:, None]
    moved, said = differences(rows, rows, seed=0)
    assert len(moved) == 7 and np.isfinite(moved).all() and (moved == said).all()


def _training(folder, seconds, prompts=None):
    folder.mkdir(parents=True)
    (folder / "cost.json").write_text(json.dumps({"seconds": seconds}))
    if prompts is not None:
        (folder / "settings.json").write_text(json.dumps({"prompts": prompts}))


def test_the_cost_of_a_training_is_found_by_method_and_data(tmp_path):
    _training(tmp_path / "my_method" / "d-mini-1", 7200.0, ["a", "b"])
    _training(tmp_path / "my-method" / "other-mini-1", 1.0)
    _training(tmp_path / "else" / "d-mini-1", 1.0)
    editor = "pack.my_method.editor:E"
    info = MethodInfo(name="my-method", title="M", paper="P", arxiv="", editor=editor, space="w+", trains="per-prompt")
    found = newest_training(tmp_path, info, "d-mini")
    assert found is not None and found[0]["seconds"] == 7200.0 and found[1] == 2
    assert newest_training(tmp_path, info, "d-full") is None
    variant = replace(info, name="a-variant")  # of one package, so of one training
    assert newest_training(tmp_path, variant, "d-mini") == found


def _row(setting: str, value: float, up: bool = True) -> Measured:
    keys = {"dataset": "d", "method": "m", "metric": "x", "heading": Heading("X", up)}
    return Measured(**keys, setting=setting, value=value, low=value - 0.1, high=value + 0.1, n=4)  # type: ignore[arg-type]


def test_the_best_variant_and_those_that_reach_it_are_marked():
    rows = [_row("a", 0.5), _row("b", 0.45), _row("c", 0.2), _row("a, unseen prompts", 0.1)]
    assert [r.best for r in mark_best(rows)] == [True, True, False, False]
    assert [r.best for r in mark_best([_row("a", 0.5, up=False), _row("b", 0.2, up=False)])] == [False, True]


def test_the_spread_over_trainings():
    rows = spread_rows(
        [_row("seed 0", 0.4), _row("seed 1", 0.5), _row("seed 2", 0.6), _row("seed 0, unseen prompts", 1)]
    )
    assert [r.setting for r in rows] == ["mean over trainings", "mean over trainings, unseen prompts"]
    assert rows[0].value == pytest.approx(0.5)
    assert rows[0].high - rows[0].value == pytest.approx(stats.t.ppf(0.975, 2) * 0.1 / np.sqrt(3))
    assert rows[1].n == 1 and math.isnan(rows[1].low)


@pytest.mark.parametrize(
    ("device", "peaks"), [("cpu", {"host_peak_mib": 2.0}), ("cuda:0", {"host_peak_mib": 2.0, "device_peak_mib": 3.0})]
)
def test_peaks_of_the_host_and_of_the_device_are_told_apart(monkeypatch, device, peaks):
    meter = SimpleNamespace(start=lambda: None, peak_bytes=lambda: (2 << 20, 3 << 20))
    replaced = {
        "load_editor": lambda *_, **__: None,
        "lacks_weights": lambda _: False,
        "_timed": lambda *_: iter([9.0, 1.0, 2.0, 3.0]),
        "Meter": lambda _: meter,
    }
    for name, made in replaced.items():
        monkeypatch.setattr(f"textedit_bench.experiments.latency.{name}", made)
    domain = SimpleNamespace(
        name="d", tier="mini", device=torch.device(device), invert=lambda _: None, photos=lambda *_: None
    )
    info = SimpleNamespace(name="m", title="M", trains="none", settings_for=lambda _: {})
    rows = measure_latency(Latency(kind="latency", repeats=3), domain, {"m": info}, Conditions())
    found = {row.metric: row.value for row in rows}
    assert found == {"edit_seconds": 2.0, **peaks}
