"""The page and key of a study made from stored results: balanced, reproducible, and without a name of a method."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from itertools import combinations

import html5lib
import numpy as np
import pytest

from textedit_bench.bench.cell import Pictures
from textedit_bench.bench.store import Store
from textedit_bench.cli.main import main
from textedit_bench.documents import read_json_document
from textedit_bench.errors import UserError
from textedit_bench.registry import load_dataset
from textedit_bench.report.table_provenance import collect_stored
from textedit_bench.study.design import Wanted, design
from textedit_bench.study.files import FITS, KEEPS, LARGEST, Key
from textedit_bench.study.page import write_study


@pytest.fixture(scope="module")
def part(store):
    (part,) = collect_stored(store, "mini", ["ffhq"])
    return part


@pytest.fixture
def written(store, tmp_path):
    def make(name="study.html", **wanted):
        page, key = write_study(store, "mini", load_dataset("ffhq"), Wanted(**wanted), tmp_path / name)
        assert read_json_document(page.with_suffix(".key.json"), Key, "key", LARGEST) == key
        return page.read_text(encoding="utf-8"), key

    return make


def _compared(key):
    return [trial for trial in key.trials.values() if trial.right is None]


def test_every_pair_of_methods_is_asked_about_equally_often(part):
    key, _ = design(part, Wanted(comparisons=30), "mini")
    pairs = Counter(frozenset(trial.edits) for trial in _compared(key) if trial.question == FITS)
    methods = ("Method Alpha", "Method Beta", "Method Gamma")
    assert pairs == {frozenset(pair): 10 for pair in combinations(methods, 2)}
    firsts = Counter(trial.edits[0] for trial in _compared(key))
    assert min(firsts.values()) >= 10  # no method always stands first, not even in the key


def test_both_questions_are_asked_of_every_comparison_and_values_are_those_of_the_records(part):
    key, edits = design(part, Wanted(comparisons=5), "mini")
    asked = {q: sorted((t.image, *sorted(t.edits)) for t in _compared(key) if t.question == q) for q in (FITS, KEEPS)}
    assert asked[FITS] == asked[KEEPS] and len(asked[FITS]) == 5
    for name, trial in key.trials.items():
        for edit, title, value in zip(
            edits[name], trial.edits, trial.values["success" if trial.question == FITS else "lpips"], strict=True
        ):
            records = edit.cell.records()
            own = records[(records["image"] == trial.image) & (records["strength"] == edit.strength)]
            assert (
                edit.title == title
                and value == own.set_index("metric")["value"]["success" if trial.question == FITS else "lpips"]
            )


def test_checks_have_answers_that_the_controls_know(part):
    key, edits = design(part, Wanted(comparisons=1, checks=3), "mini")
    checks = {name: trial for name, trial in key.trials.items() if trial.right is not None}
    assert Counter(trial.question for trial in checks.values()) == {FITS: 3, KEEPS: 3}
    for name, trial in checks.items():
        right, wrong = edits[name][trial.right], edits[name][1 - trial.right]
        rights = "Really has it (rendered)" if trial.question == FITS else "Do nothing (photo)"
        wrongs = "Do nothing (photo)" if trial.question == FITS else "Random direction"
        assert (right.title, wrong.title) == (rights, wrongs)
        assert wrong.strength == (1.0 if trial.question == FITS else 2.0)
    photos = [trial.image for trial in checks.values() if trial.question == KEEPS]
    assert len(set(photos)) == 3
    assert 0 < sum(trial.right for trial in checks.values()) < 6


def test_checks_look_like_the_other_questions_where_several_are_side_by_side(part):
    key, edits = design(part, Wanted(options=3, comparisons=2), "mini")
    assert {len(trial.edits) for trial in key.trials.values()} == {3}
    for name, trial in key.trials.items():
        if trial.right is not None:
            wrongs = sorted(edit.title for edit in edits[name] if edit is not edits[name][trial.right])
            assert wrongs == (["Do nothing (photo)"] if trial.question == FITS else ["Random direction"]) + [
                "Random direction"
            ]


def test_forms_share_the_checks_alone(part):
    key, _ = design(part, Wanted(comparisons=4, checks=2, forms=3), "mini")
    checks = {name for name, trial in key.trials.items() if trial.right is not None}
    assert len(checks) == 4 and [len(form) for form in key.forms] == [12] * 3
    assert set.intersection(*map(set, key.forms)) == checks


def test_the_same_seed_gives_the_same_page_and_another_one_another(written):
    assert written() == written("again.html")
    assert written(seed=1) != written()


def test_no_name_of_a_method_or_control_is_in_the_page(written):
    page, key = written(options=3)
    text = page.lower()
    for word in ("alpha", "beta", "gamma", "copy-photo", "do nothing", "random-direction", "really has it", "rendered"):
        assert word not in text
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)
    data = json.loads(next(node.text for node in tree.iter("script") if node.get("type") == "application/json"))
    assert set(data) == {"study", "forms", "trials", "pictures"} and data["study"] == key.study
    assert all(set(trial) == {"question", "words", "photo", "options"} for trial in data["trials"].values())


def test_the_order_in_the_page_does_not_follow_the_methods(written):
    """Positions of pictures and trials must not tell one method from another."""
    page, key = written(comparisons=30)
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    places = {title: [] for trial in _compared(key) for title in trial.edits}
    for name, trial in key.trials.items():
        for title, place in zip(trial.edits, data["trials"][name]["options"], strict=True):
            if title in places:
                places[title].append(place)
    means = [np.mean(own) for own in places.values()]
    assert np.ptp(means) < 0.2 * len(data["pictures"])


def test_the_page_loads_nothing_and_may_not(written):
    page, _ = written()
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    policy = next(meta.get("content") for meta in tree.iter("meta") if meta.get("http-equiv"))
    assert policy.startswith("default-src 'none'; img-src data:;") and "unsafe" not in policy
    for kind, node in (("style", tree.find(".//style")), ("script", tree.findall(".//script")[-1])):
        digest = base64.b64encode(hashlib.sha256(node.text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "http" not in page.replace("http-equiv", "")


def test_the_question_speaks_of_what_the_data_set_shows(tmp_path, store_results):
    for dataset, subject in (("church", "scene"), ("car", "object"), ("cat", "animal")):
        store = store_results(tmp_path / dataset, dataset=dataset)
        page, _ = write_study(store, "mini", load_dataset(dataset), Wanted(comparisons=1), None)
        assert f"keeps the {subject} of the photo better?" in page.read_text() and "person" not in page.read_text()


def test_too_little_is_refused_in_one_line(tmp_path, store_results, capsys):
    store_results(tmp_path / "two", methods=("alpha", "beta"))
    store_results(tmp_path / "bare", controls=False)
    for words, message in (
        (["--results", str(tmp_path / "two"), "--best-of", "3"], "too few methods have results; valid: at least 3"),
        (["--results", str(tmp_path / "bare")], "the controls give no attention check of 2 pictures"),
        (["--results", str(tmp_path / "none")], "no scored cell of tier mini"),
        (["--results", str(tmp_path / "two"), "-o", str(tmp_path / "page.txt")], "unknown format '.txt'"),
        (["--best-of", "7"], "Invalid value for '--best-of'"),
        (["--comparisons", "0"], "Invalid value for '--comparisons'"),
        (["--tier", "min"], "no scored cell of tier min"),
        (["--method", "alpha"], "unknown method 'alpha'"),
    ):
        assert main(["study", "make", "-d", "ffhq", *words]) == 2
        err = capsys.readouterr().err
        assert message in err and err.count("\n") == 1


def test_pictures_that_were_not_kept_are_left_out(tmp_path, store_results):
    (own,) = collect_stored(store_results(tmp_path, methods=("alpha", "beta", "gone")), "mini", ["ffhq"])
    for row in own.rows:
        for cell in row.cells:
            if row.method in ("gone", "real-attribute"):
                cell.manifest.infer.__dict__["pictures"] = Pictures(kept="none")
    key, _ = design(own, Wanted(comparisons=12), "mini")
    titles = {title for trial in key.trials.values() for title in trial.edits}
    assert titles == {"Method Alpha", "Method Beta", "Do nothing (photo)", "Random direction"}
    assert {trial.question for trial in key.trials.values() if trial.right is not None} == {KEEPS}


def test_equal_pictures_are_not_compared(tmp_path, store_results, part):
    store = store_results(tmp_path, methods=("alpha", "copy"))
    (own,) = collect_stored(Store(store.root), "mini", ["ffhq"])
    for row in own.rows:
        for cell in row.cells:
            if row.method in ("alpha", "copy"):
                (cell.path / "images.zip").write_bytes((own.rows[0].cells[0].path / "images.zip").read_bytes())
    with pytest.raises(UserError, match="all edits are alike"):
        design(own, Wanted(), "mini")
