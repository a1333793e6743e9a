"""Experiments from request to files on a toy benchmark; what is missing becomes a state, never a crash."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from textedit_bench.bench.cell import Cell, ImageSet
from textedit_bench.bench.generation.session import GenerationStore
from textedit_bench.editor import Latents
from textedit_bench.errors import UserError
from textedit_bench.experiments.conditions import Conditions
from textedit_bench.experiments.experiment import Experiment, Variant
from textedit_bench.experiments.reproduce import reproduce
from textedit_bench.experiments.variants import _cell
from textedit_bench.experiments.verdict import Verdict
from textedit_bench.prompt import Prompt
from textedit_bench.settings import MethodSettings, edit_setting, training_setting


class Silent:
    """A reporter that says nothing."""

    def note(self, text: str) -> None: ...
    def begin(self, cells: int) -> None: ...
    def working(self, label: str) -> None: ...
    def ended(self, outcome: Any) -> None: ...
    def close(self) -> None: ...


@pytest.fixture
def run(card, tmp_path, monkeypatch):
    """``run(measure, methods, ...)`` reproduces an experiment of one measure and returns its only table."""
    monkeypatch.setattr("textedit_bench.experiments.cells.STANDARD_STRENGTHS", (0.0, 1.0, 2.0))

    def go(measure: dict[str, Any], *methods: str, **more: Any) -> Any:
        keys = {
            "name": "mine", "title": "Mine", "question": "Why?", "citation": "C", "datasets": [str(card)],
            "methods": methods, "measure": [measure], "images": 4, "controls": False,
        }  # fmt: skip
        experiment = Experiment.model_validate({**keys, **more})
        conditions = Conditions(
            results=tmp_path / "results", tier="mini", threads=1, checkpoints=tmp_path / "checkpoints"
        )
        (done,) = reproduce(experiment, conditions, Silent())
        return done

    return go


def states(done: Any) -> dict[str, str]:
    return {pair.measured.method: pair.measured.state for pair in done.table.pairs}


def test_scores_with_a_state_for_every_method_that_could_not_run(run, card):
    published = {"dataset": "tiny", "method": "shift", "setting": "trained", "metric": "clip_score", "value": 1.0}
    done = run(
        {"kind": "scores", "metrics": ["clip_score"]},
        "shift", "nobody", "untrained",
        published=[{**published, "source": "T", "confidence": "seen"}],
    )  # fmt: skip
    frame = done.table.frame
    assert states(done)["nobody"] == "not installed"
    assert "no trained weights" in states(done)["untrained"]
    own = frame[(frame["method"] == "shift") & (frame["setting"] == "trained")].iloc[0]
    assert math.isfinite(own["value"]) and own["n"] == 8
    assert own["published"] == 1.0 and own["verdict"] == Verdict.NOT_COMPARABLE.value
    assert not done.failed
    assert [path.name for path in done.written] == ["mine.csv", "mine.md", "mine.tex", "mine.html"]
    assert all(path.parent.name == "experiments" and path.parent.parent.name == "mini" for path in done.written)


def test_a_second_run_edits_nothing_and_writes_the_same_bytes(run, tiny, monkeypatch):
    first = run({"kind": "scores", "metrics": ["lpips"], "per": "prompt"}, "shift")
    before = first.written[0].read_bytes()
    monkeypatch.setattr(tiny.Shift, "edit", None)
    again = run({"kind": "scores", "metrics": ["lpips"], "per": "prompt"}, "shift")
    assert again.written[0].read_bytes() == before
    assert {pair.measured.setting for pair in again.table.pairs} == {"blond hair", "dark hair", "cap, unseen"}


def test_prompts_of_the_experiment_are_scored_by_how_much_they_ask(run, card):
    own = {"id": "both", "target": "a face with blond hair and a cap", "attribute": "hair=blond,hat=cap"}
    done = run(
        {"kind": "scores", "metrics": ["clip_score"], "per": "meanings"}, "shift",
        prompts={"mini": ["blond"]}, own_prompts={str(card): [own]},
    )  # fmt: skip
    assert [pair.measured.setting for pair in done.table.pairs] == ["1 attribute", "2 attributes, unseen"]


def test_a_method_that_fails_is_reported_and_does_not_stop_the_others(run, tiny, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("no luck")

    monkeypatch.setattr(tiny.Broken, "edit", fail)
    done = run({"kind": "latency", "repeats": 3}, "broken", "shift")
    assert done.failed and "no luck" in done.failed[0]
    by_method = {(p.measured.method, p.measured.metric): p.measured for p in done.table.pairs}
    assert by_method["shift", "edit_seconds"].value > 0 and by_method["shift", "edit_seconds"].n == 3


def test_steps_of_equal_length_and_direction_have_cosine_one(run, tiny, monkeypatch):
    def edit(self: Any, latents: Any, prompt: Any, strength: float = 1.0) -> Any:
        return latents.with_codes(latents.codes + strength * torch.ones(latents.codes.shape[1:]))

    monkeypatch.setattr(tiny.Shift, "edit", edit)
    done = run({"kind": "offsets", "settings": {"blond": "Blond"}}, "shift")
    mean = next(
        p.measured for p in done.table.pairs if (p.measured.setting, p.measured.metric[-4:]) == ("Blond", "mean")
    )
    assert mean.value == pytest.approx(1.0, abs=1e-5) and mean.n == 4


class Trained:
    """What a trainable method adds to the toy one: the seed and a setting are its weights."""

    def fit(self: Any, prompts: Any = None, **options: Any) -> None:
        self.weights = torch.tensor([float(options["seed"]), self.settings["depth"]])
        Trained.trainings.append(options)

    def save(self: Any, path: Any) -> None:
        save_file({"weights": self.weights}, path)

    def load(self: Any, path: Any) -> None:
        self.weights = load_file(path)["weights"]

    def edit(self: Any, latents: Latents, prompt: Any, strength: float = 1.0) -> Latents:
        return latents if strength == 0 else latents.with_codes(latents.codes + strength * self.weights.sum())

    trainings: list[dict[str, Any]] = []  # noqa: RUF012 - emptied by the test


def test_variants_are_trained_once_by_the_schedule_and_never_enter_the_bench(run, tiny, monkeypatch, tmp_path):
    from dataclasses import replace

    info = replace(tiny.Shift.info, trains="per-dataset", training={"depth": 1.0})
    made = type("Made", (Trained, tiny.Shift), {"info": info})
    monkeypatch.setattr(tiny, "Shift", made)
    monkeypatch.setattr(sys_cards(), "shift", info)
    Trained.trainings.clear()
    measure = {
        "kind": "variants", "method": "shift", "metrics": ["lpips"], "spread": True,
        "variants": [{"name": "deep", "settings": {"depth": 2.0}}, {"name": "again", "seed": 3}],
        "schedule": {"mini": {"settings": {"depth": 0.5}, "minutes": 1}},
    }  # fmt: skip
    first = run(measure, "shift")
    assert [(t["seed"], t["stop_after_minutes"]) for t in Trained.trainings] == [(0, 1.0), (3, 1.0)]
    values = {pair.measured.setting: pair.measured.value for pair in first.table.pairs}
    assert {"deep", "again", "mean over trainings"} <= set(values)
    assert math.isfinite(values["deep"]) and math.isfinite(values["again"])
    assert values["deep"] != values["again"]  # each is edited by its own weights
    assert any(note.startswith("SHORT SCHEDULE") for note in first.table.footnotes)
    assert run(measure, "shift").written[0].read_bytes() == first.written[0].read_bytes()
    assert len(Trained.trainings) == 2
    assert not list((tmp_path / "results" / "mini" / "tiny").glob("shift/*/manifest.json"))


class Bounded(MethodSettings):
    """One setting of edits alone, one that the training uses too, and one of the training."""

    height: float = edit_setting(1.0, "of the edit")
    reader: str = edit_setting("guiding", "of both", learnt=True)
    depth: float = training_setting(1.0, "of the training")


def test_cells_of_variants_differ_by_whatever_decides_their_edits(tiny):
    base = {"model": Bounded, "tier_settings": {"mini": {"height": 2.0}}, "trains": "per-dataset", "trial": {}}
    info = replace(tiny.Shift.info, **base, strength_default=0.7)

    def cell(device: str = "cpu", precision: str = "highest", weights: str = "w", **settings: Any) -> Cell:
        made: list[Cell] = []
        domain = SimpleNamespace(tier="mini", name="tiny", device=torch.device(device), precision=precision)
        session = SimpleNamespace(
            inputs=SimpleNamespace(images=ImageSet("evaluation", 4, "i")), networks={}, run=lambda *_: made.append(_[0])
        )
        bench: Any = SimpleNamespace(experiment=SimpleNamespace(seed=0), domain=domain, session=session)
        variant = Variant(name="v", settings=settings)
        editor: Any = SimpleNamespace(settings={**info.settings_for("mini"), **info.training, **settings})
        prompt: Any = SimpleNamespace(id="p", prompt=Prompt("x"), trained=True)
        assert _cell(bench, info, variant, prompt, editor, weights) == made[0].digest
        return made[0]

    usual = cell()
    assert usual.strengths == (0.0, 0.7)
    assert usual.settings == {"height": 2.0, "reader": "guiding"}
    others = [cell("cuda:1"), cell(precision="bf16"), cell(weights="x"), cell(height=3.0)]
    assert len({each.digest for each in (usual, *others)}) == 5
    assert cell(reader="network:judge_clip", depth=2.0).digest == usual.digest, "their weights tell them apart"


def sys_cards() -> Any:
    import sys

    return sys.modules["bench_tiny_cards"]


def test_a_data_set_that_is_not_installed_is_a_state_beside_the_others(run, card):
    done = run({"kind": "scores", "metrics": ["lpips"]}, "shift", datasets=[str(card), "nowhere"])
    missing = [p.measured for p in done.table.pairs if p.measured.dataset == "nowhere"]
    assert missing and all("not installed" in row.state for row in missing)


def test_generation_is_the_benchs_own_task(run, tiny, monkeypatch):
    def generate(self, prompt, n, seed=0):
        noise = torch.randn(n, self.domain.generator.num_rows, 4, generator=torch.Generator().manual_seed(seed))
        return Latents(noise, "w+")

    able = replace(tiny.Shift.info, tasks=("edit", "generate"))
    monkeypatch.setattr(tiny.Shift, "info", able)
    monkeypatch.setattr(tiny.Shift, "generate", generate)
    for module in ("bench_tiny", "bench_tiny_cards"):
        monkeypatch.setattr(sys.modules[module], "shift", able, raising=False)
    measure = {"kind": "generation", "images_per_prompt": 5, "metrics": ["clip_score", "pair_distance"]}
    done = run(measure, "shift", "styles")
    drawn = [pair.measured for pair in done.table.pairs if pair.measured.method == "shift"]
    assert {m.metric for m in drawn} == {"clip_score", "pair_distance"}
    assert all(math.isfinite(m.value) for m in drawn if m.metric == "clip_score")
    assert "does not generate" in states(done)["styles"]
    cells = list(GenerationStore(done.written[0].parents[2]).manifests("mini"))
    assert cells and {manifest.identity["images"]["count"] for _, manifest in cells} == {5}


def test_a_wrong_request_is_refused_before_anything_runs(run, tmp_path):
    scores = {"kind": "scores", "metrics": ["clip_score"]}
    with pytest.raises(UserError, match="no_such_setting"):
        run(scores, "shift", settings={"shift": {"no_such_setting": 1}})
    with pytest.raises(UserError, match="images: 4000 asked"):
        run(scores, "shift", images=4000)
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("wrong", [{"tier": "mni"}, {"device": "tpu9"}, {"device": "cuda:99"}])
def test_wrong_conditions_are_named(wrong):
    with pytest.raises(UserError, match=f"{next(iter(wrong))}.*{next(iter(wrong.values()))}"):
        Conditions(**wrong)


def test_a_metric_that_nobody_measures_is_a_row(run):
    done = run({"kind": "scores", "metrics": ["clip_score", "no_such_metric"]}, "shift")
    (row,) = (pair.measured for pair in done.table.pairs if pair.measured.metric == "no_such_metric")
    assert row.state == "not measured here"


def test_a_cell_that_fails_is_named_although_others_were_done(run, tiny, monkeypatch):
    edit = tiny.Shift.edit_sweep
    calls: list[str] = []

    def once(self: Any, latents: Any, prompt: Any, strengths: Any) -> Any:
        calls.append(prompt.target)
        if prompt.target == calls[0]:
            raise RuntimeError("no luck with this one")
        return edit(self, latents, prompt, strengths)

    monkeypatch.setattr(tiny.Shift, "edit_sweep", once)
    done = run({"kind": "scores", "metrics": ["clip_score"]}, "shift")
    assert any("no luck with this one" in line for line in done.failed)
    assert any(math.isfinite(pair.measured.value) for pair in done.table.pairs)
