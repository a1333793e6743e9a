"""Controls that the runner fills in, what they must score, and the refusal of a table whose controls are wrong."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from textedit_bench.bench.pictures import read_pictures
from textedit_bench.bench.progress import State
from textedit_bench.bench.prompts import PlannedPrompt
from textedit_bench.bench.store import Store
from textedit_bench.controls.cards import other_prompts
from textedit_bench.errors import UserError
from textedit_bench.leaderboard.exported import export_results
from textedit_bench.prompt import Prompt
from textedit_bench.registry import load_dataset
from textedit_bench.report import collect
from textedit_bench.report.html_page.write import write_picture_report
from textedit_bench.study.design import Wanted
from textedit_bench.study.page import write_study

ALL = ("copy-photo", "no-edit", "random-direction", "real-attribute", "wrong-prompt")
IDS = [f"evaluation-{i}" for i in range(4)]


def planned(name: str, asked: str | None, trained: bool = True) -> PlannedPrompt:
    return PlannedPrompt(name, Prompt(f"a face with {name}", phrase=name, attribute=asked), trained)


def folder(results, method, prompt):
    for path in (results / "mini" / "tiny" / method).glob("*/manifest.json"):
        if json.loads(path.read_text())["identity"]["prompt_id"] == prompt:
            return path.parent
    raise AssertionError(f"no cell of {method}, {prompt}")


@pytest.fixture
def controlled(tiny, monkeypatch, tmp_path):
    tiny.module.install(monkeypatch.setattr, controls=ALL)
    return tiny


def test_wrong_prompts_ask_for_something_else_and_show_every_edit_once():
    prompts = [planned("blond", "hair=blond"), planned("red", "hair=red"), planned("hat", "hat=cap")]
    prompts += [planned("smile", "mouth=smile"), planned("old", "age=old", False)]
    found = other_prompts(prompts)
    assert "old" not in found  # alone among the unseen prompts
    assert len({other.id for other in found.values()}) == len(found)
    for name, other in found.items():
        own = next(p for p in prompts if p.id == name)
        assert own.trained == other.trained and not own.prompt.asked.keys() & other.prompt.asked.keys()
    assert other_prompts([planned("only", None)]) == {}
    assert other_prompts([planned("a", "hair=a"), planned("b", "hair=b")]) == {}


def test_every_control_shows_what_it_is_for(controlled, tmp_path):
    # One trained prompt alone has no partner; the two unseen ones have each other.
    summary = controlled.run(tmp_path, "shift", prompts=("cap", "dark", "a bare text"))
    assert summary.exit_code == 0, summary.text()
    reasons = {o.label: o.reason for o in summary.outcomes if o.state is State.NOT_APPLICABLE}
    assert reasons["wrong-prompt (edit of shift) / tiny / dark"].startswith("no other prompt")
    assert any("names no attribute" in reason for reason in reasons.values())

    inputs = next((tmp_path / "mini" / "tiny" / "_inputs").glob("*/images.zip"))
    photos = read_pictures(inputs, IDS, ["photo"])["photo"]

    def stored(method, prompt, strength=1.0):
        return controlled.module.stored_pictures(folder(tmp_path, method, prompt)).read(IDS, [strength])[0]

    assert np.array_equal(stored("copy-photo", "cap"), photos)
    bare = next(o.label.rsplit(" / ", 1)[1] for o in summary.outcomes if "text-a-bare" in o.label)
    for strength in (0.0, 2.0):
        assert np.array_equal(stored("wrong-prompt", "cap", strength), stored("shift", bare, strength))
    # The hair's half of the picture is dark, the hat's half light, whatever the photo had.
    assert (stored("real-attribute", "dark")[:, :8].mean((1, 2, 3)) < 110).all()
    assert (stored("real-attribute", "cap")[:, 8:].mean((1, 2, 3)) > 150).all()
    table = (tmp_path / "mini" / "table.md").read_text()
    assert "Wrong prompt, edit of Shift" in table and "Random direction, step of Shift" in table
    cost = (tmp_path / "mini" / "cost.md").read_text()
    assert "Wrong prompt, edit of Shift" in cost and "Random direction, step of Shift" in cost
    checks = (tmp_path / "mini" / "controls.md").read_text()
    assert "**wrong**" not in checks and "fid\\_source = 0" in checks


def test_reports_of_wrong_controls_are_refused_and_the_old_ones_removed(tiny, tmp_path, monkeypatch):
    assert tiny.run(tmp_path, "shift", "styles").exit_code == 0
    written = {path.name for path in (tmp_path / "mini").glob("*.*")}
    assert written > {"table.csv", "table.json", "controls.md", "cost.md", "ranks.md", "pairs.csv", "matched.md"}
    records = folder(tmp_path, "no-edit", "cap") / "records.parquet"
    frame = pd.read_parquet(records)
    frame.loc[(frame["metric"] == "lpips_inversion") & (frame["strength"] == 1.0), "value"] = 0.3

    def broken(cells, read=collect.make_rows):
        rows = read(cells)
        for row in rows:
            if row.method == "no-edit" and "cap" in row.prompts:
                row.__dict__["records"] = frame[frame["strength"] == row.strength]
        return rows

    monkeypatch.setattr("textedit_bench.report.collect.make_rows", broken)
    summary = tiny.run(tmp_path, "shift", "styles")
    assert summary.exit_code == 1
    said = "lpips_inversion = 0; largest deviation 0.3"
    assert said in summary.text()
    assert {path.name for path in (tmp_path / "mini").iterdir() if path.is_file()} == {"controls.md"}
    assert not list((tmp_path / "mini" / "tiny").glob("*.png"))
    store = Store(tmp_path)
    for reader in (
        lambda: write_picture_report(store, "mini"),
        lambda: export_results(store, "mini", "us"),
        lambda: write_study(store, "mini", load_dataset(tiny.card), Wanted(), None),
    ):
        with pytest.raises(UserError, match=f"controls of tier mini have wrong scores: .*{said}"):
            reader()
    assert {path.name for path in (tmp_path / "mini").iterdir() if path.is_file()} == {"controls.md"}
    assert "**wrong**" in (tmp_path / "mini" / "controls.md").read_text()


def test_checks_of_an_earlier_run_are_removed_where_no_control_was_run(tiny, tmp_path):
    (tmp_path / "mini").mkdir()
    (tmp_path / "mini" / "controls.md").write_text("old")
    tiny.run(tmp_path, "shift", controls=False)
    assert (tmp_path / "mini" / "table.md").exists() and not (tmp_path / "mini" / "controls.md").exists()


def tune(results, settings):
    """Store settings and strength 2 as the tuned ones of shift."""
    tuned = {"schema": 1, "method": "shift", "dataset": "tiny", "tier": "mini", "settings": settings, "strength": 2.0}
    tuned |= {"objective": "x", "score": 0.5, "images": "d", "prompts": ["p"], "tried": []}
    path = results / "mini" / "tiny" / "shift" / "tuned.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(tuned))


def test_every_setting_of_a_method_has_sheets_of_its_own(tiny, tmp_path):
    def sheets(results, **options):
        assert tiny.run(results, "shift", **options).exit_code == 0
        return {path.stem: path.read_bytes() for path in (results / "mini" / "tiny" / "shift").glob("*.png")}

    def pictures(sheet):
        return np.asarray(Image.open(io.BytesIO(sheet)))[40:].tobytes()  # without the title

    alone, both = tmp_path / "alone", tmp_path / "both"
    published = sheets(alone)
    assert set(published) == {"sheet", "strengths"}
    (small, _) = sorted(other := sheets(both, settings={"size": 0.5}))
    assert small.startswith("sheet-size-0-5-")
    tune(both, {"size": 2.0})
    found = sheets(both, tuned=True)
    (tuned,) = (name for name in found if name.startswith("sheet-tuned-size-2-0-"))
    assert len(found) == 6 and {*published, *other} < set(found)
    assert {name: pictures(found[name]) for name in published} == {n: pictures(s) for n, s in published.items()}
    assert {name: pictures(found[name]) for name in other} == {n: pictures(s) for n, s in other.items()}
    assert len({pictures(found[name]) for name in ("sheet", small, tuned)}) == 3


def test_strengths_without_the_controls_own_are_refused_unless_there_are_none(tiny, tmp_path, monkeypatch):
    card = replace(tiny.module.Shift.info, strength_default=2.0)
    monkeypatch.setattr(tiny.module.Shift, "info", card)
    monkeypatch.setattr(sys.modules["bench_tiny_cards"], "shift", card)
    options = {"strengths": (0.0, 2.0), "prompts": ("cap",)}
    with pytest.raises(UserError, match="strengths: 0, 2 lack the default of no-edit, 1; valid without controls"):
        tiny.run(tmp_path, "shift", **options)
    assert tiny.run(tmp_path, "shift", controls=False, **options).exit_code == 0
    assert tiny.run(tmp_path, "shift", **{**options, "strengths": (0.0, 1.0, 2.0)}).exit_code == 0


def test_a_tuned_row_stands_beside_the_published_one(tiny, tmp_path, monkeypatch):
    with pytest.raises(UserError, match="textedit-bench tune --method shift"):
        tiny.run(tmp_path, "shift", tuned=True, controls=False)
    tune(tmp_path, {})
    with pytest.raises(UserError, match="strengths: 0, 1 lack the tuned strength of shift, 2"):
        tiny.run(tmp_path, "shift", tuned=True, strengths=(0.0, 1.0))
    summary = tiny.run(tmp_path, "shift", tuned=True)
    assert summary.counts == {State.DONE: 12} and summary.exit_code == 0
    table = pd.read_csv(tmp_path / "mini" / "table.csv")
    rows = table[table["method"] == "shift"].drop_duplicates("title").set_index("title")["strength"]
    assert rows.to_dict() == {"Shift & <b>": 1.0, "Shift & <b> (tuned)": 2.0}
