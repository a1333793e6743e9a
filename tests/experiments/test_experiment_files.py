"""Every shipped experiment is valid and carries the published values; a wrong file names field and line."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import yaml

from textedit_bench.errors import UserError
from textedit_bench.experiments.catalogue import experiment_files, load_experiment
from textedit_bench.experiments.conditions import Conditions
from textedit_bench.experiments.experiment import Scores, Variants
from textedit_bench.experiments.reproduce import check
from textedit_bench.worlds.faces import FaceWorld

NAMES = sorted(experiment_files())
NEEDED = {
    "styleclip_table1", "styleclip_table2", "ffclip_comparison", "deltaedit_comparison", "deltaedit_alignment",
    "clip2gan_editing", "clip2gan_generation", "clip2gan_depth", "clip2gan_backbone", "clip2gan_losses", "leaderboard",
    "unseen_prompts", "multi_attribute", "judge_audit", "cost", "seeds", "mm_celeba_generation",
}  # fmt: skip
TABLES = Path(__file__).parent / "paper_tables"
GOOD = """name: mine
title: Mine
question: What?
citation: none
datasets: [ffhq]
measure:
  - kind: scores
    metrics: [success]
published:
  - {dataset: ffhq, method: m, metric: success, value: 0.5, source: Table 1, confidence: seen}
"""
VARIANTS = "kind: variants\n    method: clip2gan\n    variants: [{name: a, settings: {%s}}, {name: b}]"


def test_the_experiments_of_the_project_are_there():
    assert set(NAMES) >= NEEDED


@pytest.mark.parametrize("name", NAMES)
def test_every_experiment_is_valid_and_says_what_it_asks(name):
    experiment = load_experiment(name)
    assert experiment.name == name
    assert experiment.question.endswith("?")


@pytest.mark.parametrize("name", NAMES)
def test_a_value_that_nobody_verified_stays_empty(name):
    for value in load_experiment(name).published:
        assert (value.value is None) == (value.confidence == "unverified")
        assert value.source


def _published_floats() -> set[tuple[float, str]]:
    values = set()
    for name in NAMES:
        for value in load_experiment(name).published:
            values |= {(end, value.confidence) for end in value.ends or ()}
    return values


@pytest.mark.parametrize("row", [r for f in sorted(TABLES.glob("*.csv")) for r in csv.DictReader(f.open())])
def test_every_value_of_the_paper_tables_is_in_an_experiment(row):
    confidence = "computed" if row["paper"] == "own measurement" else row["confidence"]
    assert (float(row["value"]), confidence) in _cached()


def _cached(found: list[set[tuple[float, str]]] = []) -> set[tuple[float, str]]:  # noqa: B006 - read once
    if not found:
        found.append(_published_floats())
    return found[0]


def test_only_the_two_tables_of_styleclip_claim_a_known_protocol():
    known = {name for name in NAMES if any(v.protocol == "known" for v in load_experiment(name).published)}
    assert known == {"styleclip_table1", "styleclip_table2"}


def test_the_attributes_of_own_prompts_exist():
    world = FaceWorld()
    prompts = [card for name in NAMES for card in load_experiment(name).own_prompts.get("ffhq", ())]
    assert prompts
    for card in prompts:
        assert len(world.value_indices(card.prompt().asked)) == len(card.prompt().asked) >= 2


def test_short_schedules_keep_to_six_minutes():
    parts = [part for name in NAMES for part in load_experiment(name).measure if isinstance(part, Variants)]
    assert parts
    assert all(0 < part.schedule["mini"].minutes <= 6 for part in parts)


def test_a_file_is_read_by_its_path(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD)
    (part,) = load_experiment(str(path)).measure
    assert isinstance(part, Scores) and part.metrics == ("success",)


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UserError, match="Did you mean 'leaderboard'"):
        load_experiment("leaderbord")


@pytest.mark.parametrize(
    ("change", "field", "line"),
    [
        (("title: Mine", "titel: Mine"), "titel", 2),
        (("datasets: [ffhq]", "datasets: []"), "datasets", 5),
        (("kind: scores", "kind: scores\n    per: word"), "per", 8),
        (("kind: scores", "kind: nonsense"), "measure.0", 7),
        (("metrics: [success]", "metrics: []"), "metrics", 8),
        (("value: 0.5", "value: much"), "published.0.value", 10),
        (("confidence: seen", "confidence: unverified"), "published.0", 10),
        (("confidence: seen", "confidence: rumour"), "published.0.confidence", 10),
        (("value: 0.5", "value: 0.5, high: 0.1"), "published.0", 10),
        (("source: Table 1", "source: ''"), "published.0.source", 10),
        (("title: Mine", "title: [Mine"), "YAML", 3),
        (("value: 0.5", "value: .nan"), "published.0.value", 10),
        (("value: 0.5", "value: -.inf"), "published.0.value", 10),
        (("value: 0.5", "value: true"), "published.0.value", 10),
        (("value: 0.5", "value: '0.5'"), "published.0.value", 10),
        (("value: 0.5", "value: 0.5, margin: .inf"), "published.0.margin", 10),
        (("value: 0.5", "value: 0.5, high: .nan"), "published.0.high", 10),
        (("source: Table 1", "source: '  '"), "published.0.source", 10),
        (("title: Mine", 'title: "a\\ab"'), "title", 2),
        (("datasets: [ffhq]", "datasets: [ffhq, cat, ffhq]"), "datasets.2", 5),
        (("datasets: [ffhq]", "datasets: [ffhq]\nmethods: [m, m]"), "methods.1", 6),
        (("datasets: [ffhq]", "datasets: [ffhq]\nimages: true"), "images", 6),
        (("datasets: [ffhq]", "datasets: [ffhq]\nseed: 18446744073709551616"), "seed", 6),
        (("datasets: [ffhq]", "datasets: [ffhq]\nmethods: [m]\nsettings:\n  n: {a: 1}"), "settings.n", 8),
        (("datasets: [ffhq]", "datasets: [ffhq]\nown_prompts:\n  car: []"), "own_prompts.car", 7),
        (("datasets: [ffhq]", "datasets: [ffhq]\nmargins: {success: {margin: .inf, reason: a}}"), "margins.success", 6),
    ],
)
def test_a_wrong_file_names_field_and_line(tmp_path, change, field, line):
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD.replace(*change))
    with pytest.raises(UserError) as error:
        load_experiment(str(path))
    assert field in str(error.value)
    assert f"line {line}" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_cannot_run_code(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(f"name: !!python/object/apply:pathlib.Path.touch [{tmp_path / 'made'}]\n")
    with pytest.raises(UserError):
        load_experiment(str(path))
    assert not (tmp_path / "made").exists()


def test_a_value_published_twice_is_refused(tmp_path):
    data = yaml.safe_load(GOOD)
    data["published"] *= 2
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(data))
    with pytest.raises(UserError, match=r"line \d+: field published.1: ffhq / m / - / success appears twice"):
        load_experiment(str(path))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("dataset: ffhq", "dataset: fhq"), r"dataset of published.0 in experiment mine 'fhq'. Did you mean 'ffhq'"),
        (("kind: scores", VARIANTS % "depht: 3"), "variant 'a': unknown setting of clip2gan 'depht'. Did you mean"),
        (("kind: scores", VARIANTS % "depth: 0"), "variant 'a': setting depth of clip2gan: 0 is out of range"),
    ],
)
def test_what_could_never_be_measured_is_refused_before_anything_runs(tmp_path, change, words):
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD.replace(*change))
    with pytest.raises(UserError, match=words):
        check(load_experiment(str(path)), Conditions(results=tmp_path, tier="mini"))


def test_a_copy_may_have_any_file_name(tmp_path):
    path = tmp_path / "copy.yaml"
    path.write_text(GOOD)
    assert load_experiment(str(path)).name == "mine"
