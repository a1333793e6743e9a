"""A person's way through the report in Debian's Chromium: sort a table, move the slider, open an image, by keyboard."""

from __future__ import annotations

import os
import shutil

import pytest

from textedit_bench.report.picture.write import write_picture_report

CHROMIUM = shutil.which("chromium")
if CHROMIUM is None and not os.environ.get("CI"):
    pytest.skip("needs Debian's package chromium; .ci/run installs it", allow_module_level=True)
pytest.importorskip("playwright.sync_api") if not os.environ.get("CI") else None


@pytest.fixture
def opened(tmp_path, make_store):
    """The page in a browser that may reach no network; what the page complains of, and what it asked for."""
    from playwright.sync_api import sync_playwright

    assert CHROMIUM is not None, "no chromium: apt-get install chromium"
    written = write_picture_report(make_store(tmp_path / "results"), "mini", plots=False)
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url) if request.url[:4] == "http" else None)
        page.goto(written.path.as_uri())
        page.wait_for_selector("html.ready", state="attached")
        yield page
        browser.close()
    assert complaints == []


def test_a_person_finds_their_way(opened):
    table = opened.locator("table.sortable").first

    def names() -> list[str]:
        return table.locator("tbody th").all_inner_texts()

    before = names()
    heads = table.locator("button.sort")
    heads.nth(0).focus()
    opened.keyboard.press("Enter")
    assert names() == sorted(before)
    opened.keyboard.press("Enter")
    assert names() == sorted(before, reverse=True)
    heads.nth(2).click()
    assert table.locator("thead th").nth(2).get_attribute("aria-sort") == "descending"

    tile = opened.locator("table.pictures button.tile").first
    tile.scroll_into_view_if_needed()
    opened.wait_for_function("() => document.querySelector('table.pictures .tile').style.backgroundImage !== ''")
    place = "tile => tile.style.backgroundPosition"
    default = tile.evaluate(place)
    opened.locator("input[type=range]").focus()
    opened.keyboard.press("ArrowRight")
    assert opened.locator("section.grid output").inner_text() == "0"
    assert tile.evaluate(place) != default
    for _ in range(9):
        opened.keyboard.press("ArrowRight")
    assert opened.locator("section.grid output").inner_text() == "2"

    opened.locator(".images button").nth(1).click()
    assert opened.locator(".images button").nth(1).get_attribute("aria-pressed") == "true"

    opened.locator("table.pictures button.tile").first.focus()
    opened.keyboard.press("Enter")
    dialog = opened.locator("#viewer")
    assert dialog.is_visible()
    strength = opened.locator("#viewer-strength")
    assert strength.inner_text() == "strength 2"
    opened.keyboard.press("ArrowLeft")
    assert strength.inner_text() == "strength 1 (default)"
    assert dialog.locator("figure").count() == 3
    opened.keyboard.press("Escape")
    assert not dialog.is_visible()

    opened.locator("#theme").click()
    assert opened.evaluate("document.documentElement.dataset.theme") in ("dark", "light")
    assert opened.evaluate("performance.timing.domContentLoadedEventEnd - performance.timing.navigationStart") < 20_000
