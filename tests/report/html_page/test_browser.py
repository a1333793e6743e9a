"""A person's way through the report in Debian's Chromium, by keyboard too, at four widths, light and dark."""

from __future__ import annotations

import csv
import io

import pytest

from textedit_bench.bench.store import Store
from textedit_bench.report.html_page.write import write_picture_report


@pytest.fixture(scope="module")
def report(tmp_path_factory, make_store):
    """A page of two data sets with evil words and names that are too long."""
    root = tmp_path_factory.mktemp("results")
    for dataset in ("d", "e"):
        make_store(root, dataset=dataset, methods=("Alpha", "Beta & <b>", "Gamma, a name longer than any column"))
    return write_picture_report(Store(root), "mini", plots=False).path


@pytest.fixture
def opened(report, chromium):
    """The page in a browser that may reach no network; what the page complains of, and what it asked for."""
    complaints: list[str] = []
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url) if request.url[:4] == "http" else None)
    page.goto(report.as_uri())
    page.wait_for_selector("html.ready", state="attached")
    yield page
    page.close()
    assert complaints == []


def test_the_first_screen_says_it_all(opened):
    assert opened.locator("p.lead").first.inner_text().startswith("3 methods, 2 data sets, 6 photos each.")
    for part in (".split .card svg", ".pairs figure:not([hidden]) svg"):
        box = opened.locator(part).locator("visible=true").first.bounding_box()
        assert box["y"] + box["height"] < 900 and box["x"] + box["width"] <= 1280
    shown = opened.locator(".pairs").first.locator("figure:not([hidden])")
    assert shown.count() == 1
    before = shown.get_attribute("data-metric")
    opened.locator(".pairs select").first.select_option(index=1)
    assert shown.get_attribute("data-metric") != before


def test_one_data_set_is_shown_at_a_time_or_all(opened):
    parts = opened.locator("#results .part").locator("visible=true")
    assert parts.count() == 1
    opened.locator("#datasets button", has_text="all").click()
    assert parts.count() == 2
    opened.locator("#datasets button").nth(1).click()
    assert parts.count() == 1 and parts.get_attribute("data-dataset") == "e"
    assert opened.locator(".grid[data-dataset=e] button.tile").count() > 0  # built when it is shown


def test_a_jump_from_the_menu_lands_on_its_section(report, chromium):
    for fresh in ("tables", "notes", "examples"):
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        page.goto(report.as_uri())
        page.wait_for_selector("html.ready", state="attached")
        page.locator(f"nav a[href='#{fresh}']").click()
        page.wait_for_timeout(1500)
        bottom = page.evaluate("innerHeight + scrollY >= document.documentElement.scrollHeight - 1")
        assert bottom or 0 <= page.locator(f"#{fresh} h2").first.bounding_box()["y"] < 200
        assert 30 <= page.locator("#datasets").bounding_box()["y"] < 100  # below the menu, wherever the reader is
        page.close()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_meets_a_barrier(report, chromium, barriers, width, scheme):
    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(report.as_uri())
    page.wait_for_selector("html.ready", state="attached")
    assert barriers(page) == []
    page.locator(".compare").locator("visible=true").first.click()
    assert page.locator("#viewer").is_visible() and barriers(page) == []
    page.close()


@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_cut_off_and_words_can_be_read(report, chromium, width, scheme):
    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(report.as_uri())
    page.wait_for_selector("html.ready", state="attached")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    outside = page.evaluate(
        """() => [...document.querySelectorAll("main :is(p, h1, h2, h3, button, select, svg, figcaption, summary)")]
             .filter((node) => node.offsetParent !== null || node.tagName === "svg")
             .filter((node) => !node.closest(".scroll") && node.getBoundingClientRect().right > innerWidth + 1)
             .map((node) => node.outerHTML.slice(0, 90))"""
    )
    assert outside == []
    ink, ground = (
        page.evaluate(f"getComputedStyle(document.body).{name}.match(/\\d+/g).map(Number)")
        for name in ("color", "backgroundColor")
    )
    assert (sum(ink) < sum(ground)) == (scheme == "light") and abs(sum(ink) - sum(ground)) > 450
    page.close()


def test_a_table_is_sorted_unfolded_and_copied_as_it_is_shown(opened):
    opened.context.grant_permissions(["clipboard-read", "clipboard-write"])
    box = opened.locator(".table").first
    opened.locator("nav a[href='#tables']").click()  # what is far away is not laid out
    rows = box.locator("tbody tr").locator("visible=true")

    def names() -> list[str]:
        return rows.locator("th").all_inner_texts()

    before = names()
    heads = box.locator("button.sort")
    heads.nth(0).focus()
    opened.keyboard.press("Enter")
    assert names() == sorted(before) and "Control" not in before
    opened.keyboard.press("Enter")
    assert names() == sorted(before, reverse=True)
    heads.nth(2).click()
    assert box.locator("thead th").nth(2).get_attribute("aria-sort") == "descending"
    box.locator(".fold").check()
    assert "Control" in names()
    copied = {}
    for form in ("Markdown", "LaTeX", "CSV"):
        box.locator(f".copy[data-form={form}]").click()
        box.locator("[role=status]", has_text="Copied").wait_for()
        copied[form] = opened.evaluate("navigator.clipboard.readText()")
    rows_of = list(csv.reader(io.StringIO(copied["CSV"])))
    assert [row[0] for row in rows_of] == ["Method", *names()]
    assert {len(row) for row in rows_of} == {heads.count()}
    assert r"| Beta & \<b\> |" in copied["Markdown"] and copied["Markdown"].splitlines()[1].startswith("| :-- | --: |")
    assert r"Beta \& <b> &" in copied["LaTeX"] and r"$\uparrow$" in copied["LaTeX"]


def test_pictures_follow_the_slider_the_filters_and_the_swipe(opened):
    grid = opened.locator(".grid").first
    tile = grid.locator(".pictures button.tile").first
    tile.scroll_into_view_if_needed()
    opened.wait_for_function("() => document.querySelector('.pictures button.tile').style.backgroundImage !== ''")
    place = "tile => tile.style.backgroundPosition"
    default = tile.evaluate(place)
    assert grid.locator("output").inner_text() == "default: 1"
    stops, slider = grid.locator(".stops span"), grid.locator("input[type=range]").bounding_box()
    assert stops.all_inner_texts() == ["0", "0.5", "1", "2"]
    assert stops.first.bounding_box()["x"] == pytest.approx(slider["x"] + 8, abs=1)  # below the thumb's centre
    assert stops.last.bounding_box()["x"] == pytest.approx(slider["x"] + slider["width"] - 8, abs=1)
    grid.locator("input[type=range]").focus()
    opened.keyboard.press("ArrowLeft")
    assert grid.locator("output").inner_text() == "0.5"
    assert tile.evaluate(place) != default
    grid.locator(".default").click()
    assert tile.evaluate(place) == default and grid.locator(".default").get_attribute("aria-pressed") == "true"
    assert grid.locator("input[type=range]").input_value() == "2"  # the third of four strengths
    grid.locator("input[type=range]").focus()
    for _ in range(9):
        opened.keyboard.press("ArrowRight")
    assert grid.locator("output").inner_text() == "2"
    grid.locator(".images button").nth(1).click()
    assert grid.locator(".images button").nth(1).get_attribute("aria-pressed") == "true"

    opened.locator("#bar summary").click()
    opened.locator("#methods").get_by_label("Alpha").uncheck()
    grid.locator("summary").click()
    grid.locator(".chips").get_by_label("words 1").uncheck()
    shown = grid.locator(".pictures")
    assert "Alpha" not in shown.inner_text() and "words 1" not in shown.inner_text()
    sizes = shown.locator(".tile").evaluate_all(
        "all => all.slice(0, 2).map((tile) => tile.getBoundingClientRect().width)"
    )
    assert sizes[0] == sizes[1] > 60  # the photo beside its edit

    grid.locator(".pictures button.tile").first.focus()
    opened.keyboard.press("Enter")
    dialog = opened.locator("#viewer")
    strength = opened.locator("#viewer-strength")
    assert dialog.is_visible() and strength.inner_text() == "strength 2"
    opened.locator("#viewer-title").click()
    opened.keyboard.press("ArrowLeft")
    assert strength.inner_text() == "strength 1 (default)"
    assert dialog.locator("figure").count() == 3 and dialog.locator(".over").count() == 0
    named = dialog.locator("#viewer-values th").all_inner_texts()  # as in the table, with units and references
    assert named == ["Success, %", "Preservation, %", "CLIP direction", "Identity, to photo"]
    opened.locator("#viewer-other").select_option(label="Gamma, a name longer than any column")
    over = dialog.locator(".over")
    before = over.evaluate("tile => tile.style.clipPath")
    opened.locator("#viewer-swipe input").focus()
    opened.keyboard.press("ArrowRight")
    assert over.evaluate("tile => tile.style.clipPath") != before
    assert dialog.locator("#viewer-values tr").first.locator("th").count() == 3
    opened.keyboard.press("Escape")
    assert not dialog.is_visible()


def test_a_picture_of_the_examples_is_enlarged_by_key(opened):
    button = opened.locator(".example button").locator("visible=true").first
    small = button.locator("img").first.bounding_box()["width"]
    button.focus()
    opened.keyboard.press("Enter")
    dialog = opened.locator("#viewer")
    assert dialog.locator("img").count() == 2 and dialog.locator("img").first.bounding_box()["width"] > 1.5 * small
    assert not opened.locator("#viewer-method").is_visible() and not opened.locator("#viewer-more").is_visible()
    opened.keyboard.press("ArrowRight")  # there are no strengths to step through
    opened.keyboard.press("Escape")
    assert not dialog.is_visible()


def test_methods_that_are_not_chosen_are_faint_in_every_figure(opened):
    def faint() -> set[str]:
        nodes = opened.locator("#curves .part:not([hidden]) .wide [data-method]")
        return {
            m
            for m, o in nodes.evaluate_all("all => all.map(n => [n.dataset.method, getComputedStyle(n).opacity])")
            if float(o) < 0.3
        }

    assert faint() == set()
    opened.locator("#bar summary").click()
    opened.locator("#every").click()
    opened.locator("#methods").get_by_label("Alpha").check()
    assert len(faint()) >= 2 and "Alpha" not in faint()
    assert opened.locator(".grid .pictures h4").locator("visible=true").all_inner_texts() == ["Alpha"]
    opened.locator("#every").click()
    assert faint() == set()


def test_a_pair_is_read_by_arrow_keys_its_row_and_column_before_the_others(opened):
    square, tip = opened.locator(".pairs figure:not([hidden]) svg").first, opened.locator("#tip")
    square.focus()
    opened.keyboard.press("ArrowRight")
    opened.keyboard.press("ArrowRight")
    assert "is not told apart from" in tip.inner_text() or "beat" in tip.inner_text()
    lit = square.locator(".lit[data-other]")
    assert lit.count() == 5  # of three times three
    column = lit.evaluate_all("all => all.map(node => node.dataset.other)")
    opened.keyboard.press("ArrowDown")
    again = lit.evaluate_all("all => all.map(node => node.dataset.other)")
    assert sorted(column) == sorted(again) and tip.is_visible()
    opened.locator("#theme").focus()
    assert not tip.is_visible() and square.locator(".lit").count() == 0


def test_a_point_of_a_curve_shows_its_values_and_its_picture(opened):
    mark = opened.locator("#curves .wide .mark[data-method=Alpha][data-strength]").locator("visible=true").last
    mark.scroll_into_view_if_needed()
    mark.hover()
    tip = opened.locator("#tip")
    assert "strength" in tip.inner_text() and tip.locator(".tile").count() == 1
    lit = opened.locator("#curves .wide .lit").evaluate_all("all => all.map(node => node.dataset.method)")
    assert set(lit) == {"Alpha"}


def test_theme_and_print(opened):
    opened.locator("#theme").click()
    assert opened.evaluate("document.documentElement.dataset.theme") in ("dark", "light")
    opened.emulate_media(media="print")
    assert not opened.locator("header.top").is_visible() and not opened.locator(".grid").first.is_visible()
    assert opened.locator("#tables table").first.is_visible()
