"""Every figure: nothing cut off, controls beside the methods and not between them, the same marks on page and paper."""

from __future__ import annotations

from xml.etree import ElementTree

import pandas as pd
import pytest

from textedit_bench.report.cost import cost_frame, draw_cost
from textedit_bench.report.figures.canvas import blank, looks_of, place, tell, to_svg
from textedit_bench.report.figures.overview import draw_overview, shown_columns
from textedit_bench.report.html import NARROW
from textedit_bench.report.leakage import draw_leakage, leakage_frame
from textedit_bench.report.paired_tests import draw_pairs, paired_tests_frame
from textedit_bench.report.pooled import draw_ranks, ranks_frame
from textedit_bench.report.table import build_table
from textedit_bench.report.table_provenance import collect_stored
from textedit_bench.report.tradeoff import draw_curves

FIGURES = ("overview", "pairs", "curves", "leakage", "cost", "ranks")
METHODS = tuple(f"Method {i:02} with a name that is far too long for any figure" for i in range(12))


@pytest.fixture(scope="module")
def draw(tmp_path_factory, make_store):
    """``draw(name, width)`` draws a figure of a store with twelve methods of long names."""
    collected = collect_stored(make_store(tmp_path_factory.mktemp("many"), methods=METHODS, images=3), "mini")
    table, looks = build_table("mini", collected), looks_of(collected)
    tests, ranks = paired_tests_frame(collected, table.columns), ranks_frame(collected)
    makers = {
        "overview": lambda width: draw_overview(table.frame, shown_columns(table.columns), looks, width=width),
        "pairs": lambda width: draw_pairs(tests[tests["metric"] == "preservation"], looks, width=width),
        "curves": lambda width: draw_curves(collected[0], looks, width=width),
        "leakage": lambda width: draw_leakage(leakage_frame(collected), width=width),
        "cost": lambda width: draw_cost(cost_frame(collected), looks, width=width),
        "ranks": lambda width: draw_ranks(ranks[ranks["metric"] == "preservation"], "Preservation", looks, width=width),
    }
    return lambda name, width: makers[name](width)


@pytest.mark.parametrize("width", [NARROW, 800.0])
@pytest.mark.parametrize("name", FIGURES)
def test_no_letter_is_cut_off_on_wide_and_narrow_screens(draw, name, width):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = draw(name, width)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = figure.get_tightbbox(canvas.get_renderer())
    across, up = figure.get_size_inches()
    assert drawn.x0 > -0.02 and drawn.y0 > -0.02 and drawn.x1 < across + 0.02 and drawn.y1 < up + 0.02


@pytest.mark.parametrize("name", FIGURES)
def test_the_page_gets_plain_shapes_with_theme_colours_and_words(draw, name):
    tree = ElementTree.fromstring(to_svg(draw(name, 800.0), "a <label> & more"))
    assert tree.get("aria-label") == "a <label> & more"
    assert all("style" not in node.attrib and "id" not in node.attrib for node in tree.iter())
    assert all(value for node in tree.iter() for value in node.attrib.values())
    colours = {node.get(key) for node in tree.iter() for key in ("fill", "stroke")} - {None, "none"}
    assert colours and all(colour.startswith("var(--") for colour in colours)
    marks = [node for node in tree.iter() if node.get("class") == "mark"]
    assert len(marks) >= 12 and all(mark.find("title").text for mark in marks)


def test_words_of_a_mark_cannot_become_markup():
    figure = blank(100, 100)
    (mark,) = place(figure, 10, 10, 80, 80).plot(0.5, 0.5, "o")
    evil = '"><script>alert(1)</script>\x00'
    tell(mark, evil, method=evil)
    text = to_svg(figure, evil.replace("\x00", ""))
    assert "<script" not in text
    (found,) = (node for node in ElementTree.fromstring(text).iter() if node.get("class") == "mark")
    assert found.find("title").text == evil.replace("\x00", "") and found.get("data-method") == evil.replace("\x00", "")


def test_controls_are_bands_and_lines_beside_the_methods_of_the_overview():
    rows = [
        {"method": m, "title": t, "control": c, "success": v, "success_low": v - 0.1, "success_high": v + 0.1,
         "success_best": v > 0.8, "dataset": "d", "prompt_set": "trained"}
        for m, t, c, v in (
            ("a", "Worse", False, 0.5), ("b", "Best", False, 0.9), ("x", "Step, of Worse", True, 0.1),
            ("x", "Step, of Best", True, 0.2), ("y", "Nothing", True, 0.0),
        )
    ]  # fmt: skip
    from textedit_bench.report.figures.canvas import method_looks
    from textedit_bench.report.rows import ColumnSpec

    spec = ColumnSpec("success", "Success, %", True, 1, False, "image")
    figure = draw_overview(pd.DataFrame(rows), [spec], method_looks(["Worse", "Best"]))
    (axis,) = figure.axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["Best", "Worse"]
    words = [text.get_text() for text in axis.texts]
    assert {"Step", "Nothing"} < set(words) and {"10.0 to 20.0", "0.0"} < set(words)  # below the panel
    told = {artist.get_gid() for artist in axis.get_children() if artist.get_gid()}
    assert {'{"title": "Step: Success, % 10.0 to 20.0"}', '{"title": "Nothing: Success, % 0.0"}'} <= told
    assert '{"title": "Best: Success, % 90.0 [80.0, 100.0]", "method": "Best"}' in told
    assert {"90.0", "50.0"} < set(words)  # each mean, at the end of its row


def test_unseen_prompts_are_small_marks_and_a_change():
    from textedit_bench.report.figures.canvas import method_looks
    from textedit_bench.report.rows import ColumnSpec

    spec = ColumnSpec("success", "Success, %", True, 1, False, "image")
    facts = {"control": False, "success_low": float("nan"), "success_high": float("nan"), "success_best": False}
    rows = [
        {"method": t, "title": t, "prompt_set": kind, "success": value, **facts}
        for t, kind, value in (("A", "trained", 0.9), ("B", "trained", 0.5), ("A", "unseen", 0.2))
    ]
    (axis,) = draw_overview(pd.DataFrame(rows), [spec], method_looks(["A", "B"])).axes
    assert [text.get_text() for text in axis.texts if text.get_text()] == ["90.0", "50.0", "unseen", "-70.0"]
    told = {child.get_gid() for child in axis.get_children()}
    assert '{"title": "A, unseen prompts: Success, % 20.0", "method": "A"}' in told


def test_methods_keep_one_order_in_which_controls_come_last(draw):
    (axis,) = draw("cost", 800.0).axes
    titles = [label.get_text().replace("\n", " ") for label in axis.get_yticklabels()]
    assert titles[-1] == "Control" and len(titles) == len(METHODS) + 1


def test_bars_of_a_logarithmic_axis_begin_beside_their_names(draw):
    figure = draw("cost", 800.0)
    (axis,) = figure.axes
    assert all(bar.get_x() == axis.get_xlim()[0] for bar in axis.patches)


def test_a_pair_that_is_not_told_apart_says_what_could_have_been(draw):
    figure = draw("pairs", 800.0)
    told = [child.get_gid() for axis in figure.axes for child in axis.get_children() if child.get_gid()]
    undecided = [words for words in told if "is not told apart from" in words]
    assert undecided and all("p = " in words for words in undecided)
    assert figure.texts[0].get_text().startswith("0 of 66 pairs told apart")
