"""A bench from request to table: states, files, reuse, failure, interruption."""

from __future__ import annotations

import json
import shlex
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.torch import load_file
from typer.main import get_command

from textedit_bench.bench.pictures import read_pictures
from textedit_bench.bench.progress import State
from textedit_bench.bench.prompts import PlannedPrompt
from textedit_bench.cli.main import app
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt

IDS = [f"evaluation-{i}" for i in range(4)]


def cells(results: Path, method: str) -> dict[str, Path]:
    """Prompt -> folder."""
    found = {}
    for path in sorted((results / "mini" / "tiny" / method).glob("*/manifest.json")):
        found[json.loads(path.read_text())["identity"]["prompt_id"]] = path.parent
    return found


def contents(results: Path) -> dict[str, bytes]:
    """Everything that must be equal between two runs: edits, pictures, records, features, the table."""
    names = {"records.parquet", "images.zip", "features.npz", "edits.safetensors", "latents.safetensors", "table.csv"}
    files = [p for p in sorted(results.rglob("*")) if p.name in names and ".corrupt-" not in str(p)]
    assert any(p.name == "table.csv" for p in files) and any(p.name == "records.parquet" for p in files)
    return {str(p.relative_to(results)): p.read_bytes() for p in files}


def test_every_cell_is_done_and_every_promised_file_is_there(finished):
    assert finished.summary.counts == {State.DONE: 9}
    assert finished.summary.exit_code == 0
    names = {path.name for path in finished.summary.written}
    assert names >= {"table.csv", "table.md", "table.tex", "table.html", "cost.csv", "cost.md", "sheet.png"}
    assert all(path.stat().st_size > 100 for path in finished.summary.written)
    text = finished.summary.text()
    assert "No edit (inversion)" in text and str(finished.results / "mini" / "table.md") in text


def test_progress_names_the_plan_the_estimate_and_every_cell(finished):
    assert finished.lines[0] == "9 cells"
    assert "9 cells = 3 rows x 3 prompts; 4 images, 3 strengths, seed 0" in finished.lines[1]
    assert any(line.startswith("estimate: about ") for line in finished.lines)
    assert Counter(line.split(":")[0] for line in finished.lines)["done"] == 9
    assert finished.lines[-1] == "closed"


@pytest.mark.parametrize(("strengths", "extra"), [((0.0, 1.0), 0), (tuple(i / 4 for i in range(9)), 1)])
def test_a_batch_is_scored_for_the_estimate_alone_only_where_much_is_left(
    tiny, tmp_path, monkeypatch, strengths, extra
):
    from textedit_bench.bench.plan import plan
    from textedit_bench.bench.session import DatasetSession
    from textedit_bench.bench.store import Store
    from textedit_bench.domain import Domain
    from textedit_bench.metrics.suite import Suite

    request = tiny.request(tmp_path / "results", "shift", prompts=("blond",), strengths=strengths, controls=False)
    (planned,) = plan(request)
    domain = Domain(planned.card, planned.tier)
    session = DatasetSession(planned, Store(request.results), domain, Suite(domain))
    rendered, synthesize = [], domain.generator.synthesize
    monkeypatch.setattr(domain.generator, "synthesize", lambda *a, **k: (rendered.append(1), synthesize(*a, **k))[1])
    assert session.estimate(session.count_todo()) > 0
    assert len(rendered) == extra


def test_records_hold_one_row_per_image_strength_and_metric(finished):
    folder = cells(finished.results, "shift")["blond"]
    records = pd.read_parquet(folder / "records.parquet")
    keys = ["image", "strength", "metric"]
    assert not records.duplicated(keys).any()
    metrics = records["metric"].nunique()
    assert len(records) == 4 * 3 * metrics
    assert {"success", "preservation", "clip_score", "identity", "lpips"} <= set(records["metric"])
    assert ((records["state"] == "ok") == records["value"].notna()).all()


def test_stored_pictures_at_strength_zero_are_the_inversions(finished):
    inputs = next((finished.results / "mini" / "tiny" / "_inputs").glob("*/images.zip"))
    inversions = read_pictures(inputs, IDS, ["inversion"])["inversion"]
    for method in ("shift", "no-edit", "random-direction"):
        pictures = finished.module.stored_pictures(cells(finished.results, method)["cap"])
        # A copy has its method's default strength alone.
        asked = [1.0] if method == "random-direction" else [1.0, 0.0]
        stored = pictures.read(IDS, asked)
        assert all(np.array_equal(pixels, inversions) for pixels in stored[1:])
        assert np.array_equal(stored[0], inversions) == (method == "no-edit")
    assert not (cells(finished.results, "no-edit")["cap"] / "images.zip").exists()  # no copies


def test_the_random_control_steps_as_far_as_the_method_for_every_image_and_row(finished):
    inputs = next((finished.results / "mini" / "tiny" / "_inputs").glob("*/latents.safetensors"))
    start = load_file(inputs)["w_plus"]
    codes = {
        method: load_file(cells(finished.results, method)["dark"] / "edits.safetensors")["codes"]
        for method in ("shift", "random-direction")
    }
    assert len(codes["random-direction"]) == 1  # at the default strength alone
    own, random = codes["shift"][1] - start, codes["random-direction"][0] - start
    assert np.allclose(own.norm(dim=-1), random.norm(dim=-1), rtol=1e-4)
    cosine = (own.flatten(1) * random.flatten(1)).sum(1)
    assert (cosine.abs() < 0.99 * own.flatten(1).square().sum(1)).all()


def test_what_a_prompt_needs_is_made_once_before_its_edits_and_timed_apart(tiny, tmp_path, monkeypatch):
    made = []

    def prepare(self, prompt):
        assert prompt.attribute is None  # methods never see the truth
        time.sleep(0.05)
        made.append(prompt.words)

    monkeypatch.setattr(tiny.module.Shift, "prepare", prepare)
    tiny.run(tmp_path, "shift", images=6)
    assert len(made) == len(set(made)) == 3
    cost = pd.read_csv(tmp_path / "mini" / "cost.csv").set_index("title")
    shift = cost.loc["Shift & <b>"] if "Shift & <b>" in cost.index else cost[cost["method"] == "shift"].iloc[0]
    assert 0.05 <= shift["prepare_s_per_prompt"] < 5
    assert cost[cost["method"] == "no-edit"]["prepare_s_per_prompt"].iloc[0] < 0.05


def test_the_second_run_computes_nothing_and_leaves_every_byte(tiny, tmp_path):
    tiny.run(tmp_path / "r", "shift")
    before = contents(tmp_path / "r")
    again = tiny.run(tmp_path / "r", "shift")
    assert again.counts == {State.CACHED: 9}
    assert contents(tmp_path / "r") == before


def test_two_empty_folders_end_with_the_same_bytes(finished, tiny, tmp_path):
    tiny.run(tmp_path / "other", "shift")
    assert contents(tmp_path / "other") == contents(finished.results)


def test_another_seed_makes_other_cells(finished, tiny, tmp_path):
    tiny.run(tmp_path / "r", "random-direction", seed=1, controls=False)
    assert not set(cells(tmp_path / "r", "random-direction").values()) & set(
        cells(finished.results, "random-direction").values()
    )


def test_a_changed_metric_rescores_without_editing_again(tiny, tmp_path):
    tiny.run(tmp_path / "r", "shift", controls=False)
    before = contents(tmp_path / "r")
    folder = cells(tmp_path / "r", "shift")["cap"]
    edited = (folder / "images.zip").stat().st_mtime_ns
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["score"]["protocols"]["lpips"]["id"] += "-older"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    summary = tiny.run(tmp_path / "r", "shift", controls=False)
    assert summary.counts == {State.DONE: 1, State.CACHED: 2}
    assert (folder / "images.zip").stat().st_mtime_ns == edited
    assert contents(tmp_path / "r") == before


def test_a_failed_cell_keeps_its_traceback_and_the_others_go_on(tiny, tmp_path):
    summary = tiny.run(tmp_path / "r", "broken")
    assert summary.exit_code == 1
    assert summary.counts == {State.DONE: 7, State.FAILED: 1, State.NOT_APPLICABLE: 1}
    failed = next(o for o in summary.outcomes if o.state is State.FAILED)
    assert failed.label == "broken / tiny / cap"
    assert "\x1b" not in failed.reason and "no cap today" in failed.reason
    kept = json.loads(failed.failure.read_text())
    assert "Traceback" in kept["traceback"] and "RuntimeError: no cap today" in kept["traceback"]
    left = next(o for o in summary.outcomes if o.state is State.NOT_APPLICABLE)
    assert left.label == "random-direction (step of broken) / tiny / cap"
    assert (tmp_path / "r" / "mini" / "table.csv").exists()


def test_a_success_removes_the_kept_failure(tiny, tmp_path, monkeypatch):
    tiny.run(tmp_path / "r", "broken", controls=False)
    monkeypatch.setattr(tiny.module.Broken, "edit", lambda self, latents, prompt, strength=1.0: latents)
    assert tiny.run(tmp_path / "r", "broken", controls=False).exit_code == 0
    assert not list((tmp_path / "r").rglob("failure.json"))


def test_memory_that_runs_out_has_its_own_state(tiny, tmp_path, monkeypatch):
    def full(self, latents, prompt, strength=1.0):
        raise MemoryError

    monkeypatch.setattr(tiny.module.Shift, "edit", full)
    summary = tiny.run(tmp_path / "r", "shift", controls=False, prompts=("cap",))
    assert summary.counts == {State.OUT_OF_MEMORY: 1}
    assert summary.exit_code == 1


def _trains_untrained_on_tiny(said: str) -> None:
    """Check that a message ends with a command that parses; nothing is run."""
    program, name, *words = shlex.split(said.partition("train them with: ")[2])
    assert program == "textedit-bench"
    with get_command(app).commands[name].make_context(name, words) as context:
        assert {k: context.params[k] for k in ("method", "dataset")} == {"method": "untrained", "dataset": "tiny"}


def test_an_untrained_method_beside_others_is_not_applicable_and_says_how_to_train_it(tiny, tmp_path):
    summary = tiny.run(tmp_path / "r", "untrained", "shift", controls=False)
    assert summary.counts == {State.DONE: 3, State.NOT_APPLICABLE: 3}
    assert summary.exit_code == 0
    _trains_untrained_on_tiny(summary.outcomes[0].reason)


def test_a_bench_of_nothing_but_untrained_methods_is_refused_before_any_work(tiny, tmp_path):
    with pytest.raises(UserError, match="untrained has no trained weights for tiny, tier mini") as refused:
        tiny.run(tmp_path / "r", "untrained")
    _trains_untrained_on_tiny(str(refused.value))
    assert not list((tmp_path / "r").rglob("*.png"))


def test_a_prompt_that_is_not_the_methods_is_not_applicable_before_any_work(tiny, tmp_path, monkeypatch):
    edited, edit = [], tiny.module.Shift.edit

    def spy(self, latents, prompt, strength=1.0):
        edited.append(prompt.words)
        return edit(self, latents, prompt, strength)

    def hair_alone(self, prompt):
        return None if "hair" in prompt.words else f"{prompt.words!r} is not about hair"

    monkeypatch.setattr(tiny.module.Shift, "edit", spy)
    monkeypatch.setattr(tiny.module.Shift, "refusal", hair_alone)
    summary = tiny.run(tmp_path, "shift")
    refused = [cell for cell in summary.outcomes if cell.state is State.NOT_APPLICABLE]
    assert "'cap' is not about hair" in [cell.reason for cell in refused] and summary.exit_code == 0
    assert set(edited) == {"blond hair", "dark hair"} and set(cells(tmp_path, "shift")) == {"blond", "dark"}


def test_nobody_is_told_to_train_what_would_be_refused_anyway(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(tiny.module.Untrained, "refusal", lambda *_: "faces alone")
    summary = tiny.run(tmp_path, "untrained", prompts=("cap",))
    assert {cell.reason for cell in summary.outcomes if cell.label.startswith("untrained")} == {"faces alone"}


def test_methods_of_other_spaces_get_fitting_controls(tiny, tmp_path):
    summary = tiny.run(tmp_path / "r", "styles", "picture", prompts=("cap",))
    states = {o.label: o.state for o in summary.outcomes}
    assert states["random-direction (step of styles) / tiny / cap"] is State.DONE
    assert states["random-direction (step of picture) / tiny / cap"] is State.NOT_APPLICABLE
    codes = load_file(cells(tmp_path / "r", "random-direction")["cap"] / "edits.safetensors")["codes"]
    own = load_file(cells(tmp_path / "r", "styles")["cap"] / "edits.safetensors")["codes"]
    assert codes.shape == own[1:2].shape
    assert np.allclose((codes[0] - own[0]).norm(dim=-1), (own[1] - own[0]).norm(dim=-1), rtol=1e-4)


def test_ctrl_c_ends_with_130_and_the_same_request_goes_on(finished, tiny, tmp_path, monkeypatch):
    edit, calls = tiny.module.Shift.edit, []

    def interrupt(self, latents, prompt, strength=1.0):
        calls.append(prompt)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return edit(self, latents, prompt, strength)

    with monkeypatch.context() as patch:
        patch.setattr(tiny.module.Shift, "edit", interrupt)
        summary = tiny.run(tmp_path / "r", "shift")
    assert summary.exit_code == 130
    assert summary.counts == {State.DONE: 1, State.INTERRUPTED: 8}
    again = tiny.run(tmp_path / "r", "shift")
    assert again.counts == {State.DONE: 8, State.CACHED: 1}
    assert contents(tmp_path / "r") == contents(finished.results)


def test_a_bare_text_becomes_a_prompt_of_its_own(tiny, tmp_path):
    summary = tiny.run(tmp_path / "r", "no-edit", prompts=("a <b>green</b> nose", "Blond hair"))
    labels = [o.label for o in summary.outcomes]
    assert labels[0].startswith("no-edit / tiny / text-a-b-green-b-nose-")
    assert labels[1] == "no-edit / tiny / blond"


def _asking(attribute):
    return PlannedPrompt("own", Prompt("a face with blond hair", attribute=attribute), trained=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"images": 9}, "images: 9 asked; the evaluation split of data set tiny, tier mini has 8; valid: 1 to 8"),
        ({"prompts": ("blont",)}, "Did you mean 'blond'"),
        ({"prompts": ("x" * 501,)}, "501 characters"),
        ({"prompts": ("red\x1b[31m",)}, "cannot be printed"),
        ({"strengths": (0.0, 2.0)}, "lack the default of shift, 1"),
        ({"settings": {"sice": 1.0}}, "Did you mean 'size'"),
        ({"settings": {"size": "big"}}, "must be float"),
        ({"settings": {"size": True}}, "must be float"),
        ({"tier": "full"}, "Valid: auto, mini"),
        ({"device": "abacus"}, "device: 'abacus' is unknown"),
        ({"own_prompts": (_asking("hare=blond"),)}, "prompt own: unknown attribute of the tiny world 'hare'"),
        ({"own_prompts": (_asking("hair=blont"),)}, "unknown value of hair 'blont'. Did you mean 'blond'"),
    ],
)
def test_bad_input_is_one_line_before_any_work(tiny, tmp_path, options, message):
    with pytest.raises(UserError, match=message.replace("(", r"\(")) as error:
        tiny.run(tmp_path / "r", "shift", **options)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "r").exists()


def test_one_methods_bad_input_fails_its_own_cells_only(tiny, tmp_path, monkeypatch):
    def refuse(self, latents, prompt, strength=1.0):
        raise UserError("size: 3 is too large")

    tiny.run(tmp_path / "cached", "styles", controls=False)
    monkeypatch.setattr(tiny.module.Shift, "edit", refuse)
    cached = tiny.run(tmp_path / "cached", "shift", "styles", controls=False)
    assert cached.counts == {State.CACHED: 3, State.FAILED: 3}
    assert (tmp_path / "cached" / "mini" / "table.csv").exists()
    with pytest.raises(UserError, match="size: 3 is too large"):
        tiny.run(tmp_path / "alone", "shift", controls=False)
