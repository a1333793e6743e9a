"""Controls that the runner fills in, what they must score, and the refusal of a table whose controls are wrong."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from textedit_bench.bench.pictures import read_pictures
from textedit_bench.bench.progress import State
from textedit_bench.bench.prompts import PlannedPrompt
from textedit_bench.controls.cards import other_prompts
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt
from textedit_bench.report import collect

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


def test_a_table_whose_controls_are_wrong_is_refused_and_the_old_one_removed(tiny, tmp_path, monkeypatch):
    assert tiny.run(tmp_path, "shift").exit_code == 0
    assert (tmp_path / "mini" / "table.csv").exists()
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
    summary = tiny.run(tmp_path, "shift")
    assert summary.exit_code == 1
    assert "lpips_inversion = 0; largest deviation 0.3" in summary.text()
    assert not (tmp_path / "mini" / "table.csv").exists()
    assert "**wrong**" in (tmp_path / "mini" / "controls.md").read_text()


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
    folder_ = tmp_path / "mini" / "tiny" / "shift"
    folder_.mkdir(parents=True, exist_ok=True)
    tuned = {"schema": 1, "method": "shift", "dataset": "tiny", "tier": "mini", "settings": {}, "strength": 2.0}
    tuned |= {"objective": "x", "score": 0.5, "images": "d", "prompts": ["p"], "tried": []}
    (folder_ / "tuned.json").write_text(json.dumps(tuned))
    with pytest.raises(UserError, match="strengths: 0, 1 lack the tuned strength of shift, 2"):
        tiny.run(tmp_path, "shift", tuned=True, strengths=(0.0, 1.0))
    summary = tiny.run(tmp_path, "shift", tuned=True)
    assert summary.counts == {State.DONE: 12} and summary.exit_code == 0
    table = pd.read_csv(tmp_path / "mini" / "table.csv")
    rows = table[table["method"] == "shift"].drop_duplicates("title").set_index("title")["strength"]
    assert rows.to_dict() == {"Shift & <b>": 1.0, "Shift & <b> (tuned)": 2.0}
