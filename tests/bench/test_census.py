"""A census: which prompts it asks, of which photos, and that every part of a bench understands it."""

from __future__ import annotations

import io
import json
import shutil
import weakref

import pandas as pd
import pytest

from textedit_bench.bench.census import census_prompts, choose_photos
from textedit_bench.bench.inputs import Inputs
from textedit_bench.bench.plan import plan
from textedit_bench.bench.progress import PlainReporter, State
from textedit_bench.bench.request import CENSUS_STRENGTHS, BenchRequest
from textedit_bench.bench.rerun import differences, read_rerun
from textedit_bench.bench.run import run_cells
from textedit_bench.bench.scoring import read_table
from textedit_bench.bench.store import Store
from textedit_bench.benchmark import run_generation
from textedit_bench.errors import UserError
from textedit_bench.prompt import folded
from textedit_bench.registry import load_dataset
from textedit_bench.report.html_page.write import write_picture_report
from textedit_bench.worlds.world import load_world

WORLDS = ("ffhq", "cat", "church", "car")


@pytest.mark.parametrize("name", WORLDS)
def test_every_value_is_asked_in_two_wordings_but_those_that_knobs_were_chosen_on(name):
    card = load_dataset(name)
    world = load_world(card, "mini")
    prompts = census_prompts(card, "mini", world)
    assert prompts == census_prompts(card, "mini", world)
    assert len({prompt.id for prompt in prompts}) == len(prompts) == len({folded(p.prompt.target) for p in prompts})

    single = [prompt for prompt in prompts if len(prompt.prompt.asked) == 1]
    asked = [next(iter(prompt.prompt.asked.items())) for prompt in single]
    development = {
        item for p in card.tier("mini").prompts if p.split == "development" for item in p.prompt().asked.items()
    }
    values = {(attribute.name, value) for attribute in world.attributes for value in attribute.values}
    assert set(asked) == values - development
    assert all(asked.count(value) == 2 for value in set(asked))

    compounds = [prompt for prompt in prompts if len(prompt.prompt.asked) == 2]
    assert len(compounds) == 24 and not any(prompt.trained for prompt in compounds)
    assert not any(item in development for prompt in compounds for item in prompt.prompt.asked.items())
    taught = {item for p in card.tier("mini").prompts if p.trained for item in p.prompt().asked.items()}
    assert all(prompt.trained == (value in taught) for prompt, value in zip(single, asked, strict=True))


def test_photos_are_the_first_on_which_a_prompt_counts():
    card = load_dataset("church")
    world = load_world(card, "mini")
    prompts = census_prompts(card, "mini", world)[::9]
    found = choose_photos(world, "evaluation", 40, prompts, 5)
    for prompt in prompts:
        wanted = world.value_indices(prompt.prompt.asked)
        counts = []
        for i in range(40):
            factors = world.split_factors("evaluation", [i])
            visible = world.render(factors).visible[0]
            has = [bool(factors.attributes[0, at] == value) for at, value in wanted.items()]
            if all(visible[at] for at in wanted) and not all(has):
                counts.append(i)
        assert found[prompt.id] == tuple(counts[:5])


def test_a_census_has_strengths_of_its_own_unless_others_are_asked():
    assert BenchRequest(protocol="census").strengths == CENSUS_STRENGTHS
    assert BenchRequest(protocol="census", strengths=(0.0, 1.0)).strengths == (0.0, 1.0)
    assert BenchRequest(protocol="census").standard and not BenchRequest(protocol="census", strengths=(1.0,)).standard


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"protocol": "sample"}, "unknown protocol 'sample'. Valid: census, quick"),
        ({"protocol": "census", "source": "samples"}, "source samples"),
        ({"protocol": "census", "prompts": ("blonde",), "datasets": ("ffhq",), "tier": "mini"}, "census of ffhq"),
        ({"protocol": "census", "tier": "full", "datasets": ("ffhq",)}, "tier full"),
    ],
)
def test_what_a_census_cannot_be_asked_is_refused(options, said):
    with pytest.raises(UserError, match=said.replace("(", r"\(")):
        plan(BenchRequest(methods=("interfacegan",), **options))


def test_generation_has_no_census():
    with pytest.raises(UserError, match="valid with task generate: quick"):
        run_generation(BenchRequest(protocol="census"))


def cells(results, method):
    found = {}
    for path in (results / "mini" / "tiny" / method).glob("*/manifest.json"):
        manifest = json.loads(path.read_text())
        found[manifest["identity"]["prompt_id"]] = path.parent, manifest
    return found


def test_a_cell_holds_the_photos_of_its_prompt_and_every_edit_counts(counted):
    assert counted.summary.exit_code == 0, counted.summary.text()
    request = counted.request(counted.results, "shift", protocol="census", images=3)
    (asked,) = plan(request)
    assert max(len(there) for there in asked.photos.values()) == 3  # the toy world has but one photo for one prompt
    assert len({there for there in asked.photos.values()}) > 1
    stored = cells(counted.results, "shift")
    assert set(stored) == {prompt.id for prompt in asked.prompts} == {
        "dark", "blond", "cap", "hair-dark-and-hat-cap", "hair-blond-and-hat-cap"
    }  # fmt: skip
    for prompt, (folder, manifest) in stored.items():
        assert manifest["infer"]["ids"] == [f"evaluation-{i}" for i in asked.photos[prompt]]
        records = read_table(folder / "records.parquet")
        assert set(records.loc[records["metric"] == "success", "state"]) == {"ok"}
    # A control that copies edits, or takes steps of the same length, has the photos of the cell that it copies.
    digests = {manifest["digest"]: manifest["infer"]["ids"] for _, manifest in stored.values()}
    copies = [m for _, m in cells(counted.results, "random-direction").values()]
    assert all(m["infer"]["ids"] == digests.get(m["identity"]["matched_to"], m["infer"]["ids"]) for m in copies)
    # Tables show a copy at the default strength; its source has a curve.
    assert {tuple(m["identity"]["strengths"]) for m in copies} == {(1.0,)}
    assert all(len(m["identity"]["strengths"]) > 1 for _, m in stored.values())


def test_the_photos_of_one_prompt_at_a_time_are_in_memory(tiny, tmp_path, monkeypatch):
    loaded, still_there = [], []
    original = Inputs.load

    def load(self, shard):
        still_there.append(sum(part() is not None for part in loaded))
        part = original(self, shard)
        loaded.append(weakref.ref(part))
        return part

    monkeypatch.setattr(Inputs, "load", load)
    assert tiny.run(tmp_path, "shift", protocol="census", images=3, controls=False).exit_code == 0
    assert len(loaded) >= 5 and not any(still_there)


def test_the_table_speaks_of_these_very_prompts(counted):
    frame = pd.read_csv(counted.results / "mini" / "table.csv")
    shift = frame[frame["method"] == "shift"].set_index("prompt_set")
    assert dict(shift["prompts"]) == {"trained": 2, "unseen": 3}
    assert set(frame.loc[frame["control"], "method"]) >= {"random-direction", "no-edit"}
    assert shift.loc["trained", "edits"] == 6
    assert (frame["success_left_out"] == 0).all()
    assert "kid_real" in frame and "fid_real" not in frame
    said = (counted.results / "mini" / "table.md").read_text()
    assert "a census, every prompt on 1 to 3 photos" in said and "these very prompts" in said
    assert "NOT the standard protocol" in said  # three photos and other strengths


def test_a_part_of_the_census_is_the_same_cells(counted, tmp_path):
    results = shutil.copytree(counted.results, tmp_path / "copy")
    again = counted.run(results, "shift", protocol="census", images=3, prompts=("blond",))
    assert {o.state for o in again.outcomes if o.label.startswith("shift")} == {State.CACHED}


def test_quick_cells_and_a_census_never_share_a_table(counted, tmp_path):
    results = shutil.copytree(counted.results, tmp_path / "copy")
    quick = counted.run(results, "shift", images=4)
    assert quick.exit_code == 0
    frame = pd.read_csv(results / "mini" / "table.csv")
    assert set(frame["images"]) == {4} and "styles" not in set(frame["method"])


def test_the_page_leaves_places_empty_where_a_prompt_is_not_asked_of_a_photo(counted, tmp_path):
    page = write_picture_report(Store(counted.results), "mini", output=tmp_path / "report.html").path.read_text()
    assert '"strips":{' in page and "3 photos per prompt" in page


@pytest.mark.parametrize("method", ["shift", "random-direction"])
def test_a_census_cell_is_done_again_from_its_manifest(counted, tmp_path, method):
    folder, _ = cells(counted.results, method)["cap"]
    rerun = read_rerun(folder / "manifest.json", results=tmp_path / "again")
    run_cells(rerun.request, PlainReporter(io.StringIO()))
    assert differences(rerun, Store(tmp_path / "again")) == []
