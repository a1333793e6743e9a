"""Each verdict on made-up values, and what a changed published value does to every output."""

from __future__ import annotations

import math
import re
import shutil
import subprocess

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textedit_bench.experiments.comparison import ELSEWHERE, compare
from textedit_bench.experiments.experiment import Experiment
from textedit_bench.experiments.measured import Heading, Measured
from textedit_bench.experiments.page import page_of, spread
from textedit_bench.experiments.published import Published
from textedit_bench.experiments.reproduce import write_comparison
from textedit_bench.experiments.verdict import Verdict, judge
from textedit_bench.report.formats import render_plain_page

HEADING = Heading("Score & more", True, 3)


def row(value: float = 0.5, half: float = 0.01, **more: object) -> Measured:
    keys = {"dataset": "d", "method": "m", "setting": "s", "metric": "score", "heading": HEADING, "title": "M <b>"}
    return Measured(**{**keys, "value": value, "low": value - half, "high": value + half, "n": 9, **more})  # type: ignore[arg-type]


def said(value: float | None = 0.5, **more: object) -> Published:
    keys = {"dataset": "d", "method": "m", "setting": "s", "metric": "score", "source": "T", "protocol": "known"}
    return Published(**{**keys, "value": value, "confidence": "seen", **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("measured", "published", "tier", "verdict"),
    [
        (row(0.5), said(0.52), "full", Verdict.EQUIVALENT),
        (row(0.5), said(0.7), "full", Verdict.DIFFERENT),
        (row(0.5), said(0.555), "full", Verdict.INCONCLUSIVE),
        (row(0.5, half=0.2), said(0.5), "full", Verdict.INCONCLUSIVE),
        (row(0.5), said(0.5, protocol="unknown"), "full", Verdict.PROTOCOL_UNKNOWN),
        (row(0.5), None, "full", Verdict.NOT_PUBLISHED),
        (row(0.5), said(None, confidence="unverified"), "full", Verdict.NOT_PUBLISHED),
        (row(0.5), said(0.5), "mini", Verdict.NOT_COMPARABLE),
        (row(0.5, device="H200"), said(0.5, hardware="GTX 1080 Ti"), "full", Verdict.NOT_COMPARABLE),
        (row(0.5, device="NVIDIA GeForce gtx 1080 ti"), said(0.5, hardware="GTX 1080 Ti"), "full", Verdict.EQUIVALENT),
        (row(0.5), said(0.5, images="Other pictures"), "full", Verdict.NOT_COMPARABLE),
        (row(0.5), said(0.5, images="LSUN d"), "full", Verdict.EQUIVALENT),
        (row(11.0), said(10, high=12), "full", Verdict.EQUIVALENT),
        (row(13.0), said(10, high=12), "full", Verdict.DIFFERENT),
        (row(0.5), said(0.7, margin=0.3), "full", Verdict.EQUIVALENT),
        (row(math.nan, state="not trained"), said(0.5), "full", Verdict.INCONCLUSIVE),
        (row(0.5, low=math.nan, high=math.nan), said(0.5), "full", Verdict.INCONCLUSIVE),
    ],
)
def test_each_verdict(measured, published, tier, verdict):
    assert judge(measured, published, tier=tier, margin=0.05)[0] is verdict


@pytest.mark.parametrize(("published", "half"), [(0.6, 0.05), (0.7, 0.1), (0.8, 0.1), (1e6, 0.3), (0.0, 0.1)])
def test_an_interval_that_ends_on_the_margin_is_inside(published, half):
    assert judge(row(published, half), said(published), tier="full", margin=half)[0] is Verdict.EQUIVALENT


@pytest.mark.parametrize(("low", "high"), [(0.6, 0.4), (0.51, 0.6), (0.3, 0.49)])
def test_an_interval_without_its_value_says_nothing(low, high):
    verdict, reason = judge(row(0.5, low=low, high=high), said(0.5), tier="full", margin=0.3)
    assert verdict is Verdict.INCONCLUSIVE and "its own interval" in reason


@pytest.mark.parametrize(
    ("dataset", "images", "elsewhere"),
    [
        ("ffhq", "FFHQ-512", False),
        ("ffhq", "(FFHQ, 1024)", False),
        ("car", "LSUN cars", False),
        ("church", "LSUN churches", False),
        ("ffhq", "CelebA-HQ test", True),
        ("car", "Stanford carpets", True),
        ("cat", "", False),
    ],
)
def test_pictures_are_recognised_by_the_data_sets_name_as_a_word(dataset, images, elsewhere):
    assert said(0.5, dataset=dataset, images=images).elsewhere is elsewhere


@pytest.mark.parametrize(("hardware", "same"), [("RTX 1080", False), ("NVIDIA RTX 10800 ", True), ("rtx 10800", True)])
def test_a_device_is_matched_by_whole_words(hardware, same):
    assert said(0.5, hardware=hardware).measured_on("NVIDIA RTX 10800, 1 thread") is same


def test_without_a_margin_nothing_is_the_same_or_different():
    assert judge(row(), said(), tier="full", margin=None) == (Verdict.INCONCLUSIVE, "no margin stated")


@given(st.floats(-5, 5), st.floats(0, 2), st.floats(-5, 5), st.floats(0.01, 2))
def test_equivalent_and_different_exclude_each_other_and_follow_the_interval(value, half, published, margin):
    verdict, _ = judge(row(value, half), said(published), tier="full", margin=margin)
    worst = max(abs(value - half - published), abs(value + half - published))
    if worst < margin - 1e-9:
        assert verdict is Verdict.EQUIVALENT
    if abs(value - published) > half + margin + 1e-9:
        assert verdict is Verdict.DIFFERENT
    if verdict is Verdict.EQUIVALENT:
        assert worst <= margin + 1e-9


def experiment(*published: Published, **more: object) -> Experiment:
    keys = {
        "name": "mine", "title": "Mine_1", "question": "Why?", "citation": "C", "datasets": ("d",),
        "measure": [{"kind": "scores", "metrics": ["score"]}], "margins": {"score": {"margin": 0.05, "reason": "r"}},
    }  # fmt: skip
    return Experiment.model_validate({**keys, "published": published, **more})


def test_a_changed_published_value_shows_in_every_output(tmp_path):
    texts = []
    for value in (0.52, 0.71):
        table = compare(experiment(said(value)), "full", [row()])
        paths = write_comparison(table, tmp_path / str(value))
        assert [path.suffix for path in paths] == [".csv", ".md", ".tex", ".html"]
        texts.append([path.read_text() for path in paths] + [render_plain_page(page_of(table))])
    for first, second in zip(*texts, strict=True):
        assert "0.52" in first and "0.71" in second
        assert "equivalent" in first and "different" in second


def test_published_values_that_were_not_measured_are_rows_of_their_own():
    published = (said(0.4), said(0.3, method="theirs"), said(0.2, setting="other"))
    table = compare(experiment(*published), "full", [row()])
    assert [pair.published.value for pair in table.pairs if pair.published] == [0.4, 0.3, 0.2]
    assert [pair.measured.state for pair in table.pairs] == ["", ELSEWHERE, "not measured here"]
    assert math.isclose(table.pairs[0].difference, 0.1)


def test_the_difference_to_a_range_is_that_to_its_nearer_end():
    for value, expected in ((11.0, 0.0), (9.5, -0.5), (12.25, 0.25)):
        table = compare(experiment(said(10, high=12)), "full", [row(value)])
        assert math.isclose(table.pairs[0].difference, expected)


def test_the_mini_tier_says_that_nothing_is_comparable():
    table = compare(experiment(said()), "mini", [row()])
    assert any("NOT COMPARABLE" in note for note in table.footnotes)
    assert table.counts == {Verdict.NOT_COMPARABLE: 1}


def test_marks_tell_how_sure_a_published_value_is():
    published = said(0.3, confidence="secondhand"), said(None, setting="x", confidence="unverified")
    page = page_of(compare(experiment(*published), "full", [row()]))
    texts = [line.entries[2].text for block in page.blocks for line in block.lines]
    assert texts == ["0.3 *", "not verified ?"]
    assert {note[0] for note in page.footnotes} >= {"*", "?"}


def test_the_outputs_say_where_a_value_stands_and_on_what_it_was_measured(tmp_path):
    given = said(1234567.891, images="FFHQ, 70k", hardware="V100", note="probably a misprint", source="Table 3")
    table = compare(experiment(published=[given]), "mini", [row(0.5, device="EPYC")])
    paths = {path.suffix: path.read_text() for path in write_comparison(table, tmp_path)}
    for suffix in (".md", ".html", ".tex"):
        for words in ("Table 3", "FFHQ, 70k", "V100", "probably a misprint", "EPYC", "mini", "1234567.891"):
            assert words in paths[suffix], (suffix, words)
    assert r"\caption{" in paths[".tex"]
    assert paths[".csv"].splitlines()[0].split(",")[-10:-4] == [
        "source", "images", "hardware", "protocol", "confidence", "note",
    ]  # fmt: skip


def test_a_zero_has_no_sign():
    assert Heading("a").number(-0.0001) == "0.000" and Heading("a", percent=True).number(-0.0001) == "0.0"
    assert Heading("a").number(-0.5) == "-0.500"


def test_without_published_values_there_are_no_columns_for_them():
    page = page_of(compare(experiment(), "mini", [row()]))
    assert page.headings == ("Method", "Setting", "Measured", "n")


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(0.4, 0.6, "± 0.100"), (0.45, 0.6, "+0.100 -0.050"), (math.nan, 0.6, "")],
)
def test_intervals_are_written_as_small_arms(low, high, text):
    assert spread(HEADING, 0.5, low, high) == text


def test_the_csv_can_be_read_back_in_full_precision(tmp_path):
    table = compare(experiment(said(1 / 3)), "full", [row(2 / 3)])
    frame = pd.read_csv(write_comparison(table, tmp_path)[0])
    assert frame.loc[0, "value"] == pytest.approx(2 / 3, rel=1e-8)
    assert frame.loc[0, "published"] == pytest.approx(1 / 3, rel=1e-8)
    assert frame.loc[0, "verdict"] == "different"


def test_names_are_escaped_in_markup(tmp_path):
    _, markdown, latex, html = (
        p.read_text() for p in write_comparison(compare(experiment(), "mini", [row()]), tmp_path)
    )
    assert "<b>" not in html and "M &lt;b&gt;" in html
    assert "Mine\\_1" in latex or "Mine_1" not in latex
    assert r"M \<b\>" in markdown


def test_the_latex_compiles_or_is_balanced(tmp_path):
    path = write_comparison(compare(experiment(said(0.4, confidence="computed")), "full", [row()]), tmp_path)[2]
    text = path.read_text()
    if shutil.which("pdflatex"):
        head = r"\documentclass{article}\usepackage[utf8]{inputenc}\usepackage{booktabs,graphicx,textcomp}"
        (tmp_path / "all.tex").write_text(head + r"\begin{document}" + text + r"\end{document}", encoding="utf-8")
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
        return
    bare = re.sub(r"%.*", "", re.sub(r"\\[\\{}$&%#_]", "", text))
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    begun, ended = (re.findall(rf"\\{word}{{(\w+\*?)}}", bare) for word in ("begin", "end"))
    assert sorted(begun) == sorted(ended)
    rows = [line for line in text.splitlines() if line.endswith(r"\\") and "multicolumn" not in line]
    assert len({len(re.findall(r"(?<!\\)&", line)) for line in rows}) == 1
    assert text.isascii()
