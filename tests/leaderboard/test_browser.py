"""The leaderboard in Debian's Chromium: sorted, unfolded, copied, and nothing cut off at four widths."""

from __future__ import annotations

import csv
import io

import pytest

from textedit_bench.leaderboard.board import boards_of, write_page


@pytest.fixture(scope="module")
def boards(lab):
    files = [lab("One", methods=("alpha", "beta")), lab("=HYPERLINK(1)", methods=("gamma",)), lab("Three", seed=1)]
    return boards_of(files)


@pytest.fixture(scope="module")
def page_file(boards, tmp_path_factory):
    return write_page(tmp_path_factory.mktemp("board"), boards)


def test_a_reader_sorts_unfolds_and_copies(boards, page_file, chromium):
    complaints: list[str] = []
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url) if request.url[:4] == "http" else None)
    page.goto(page_file.as_uri())
    assert page.locator("section").count() == 2
    box = page.locator(".table").first
    names = box.locator("tbody tr").locator("visible=true").locator("th")
    assert names.all_inner_texts() == ["Method Alpha", "Method Beta", "Method Gamma"]
    box.locator("button.sort", has_text="Success").click()
    success = {line.title: line.entries[0].value for line in boards[0].lines if not line.control}
    assert names.all_inner_texts() == sorted(success, key=success.get, reverse=True)
    box.locator(".fold").check()
    assert "Do nothing (photo)" in names.all_inner_texts()
    box.locator(".copy[data-form=CSV]").click()
    box.locator("[role=status]", has_text="Copied").wait_for()
    rows = list(csv.reader(io.StringIO(page.evaluate("navigator.clipboard.readText()"))))
    assert rows[0][:2] == ["Method", "From"] and ["Method Gamma", "'=HYPERLINK(1)"] in [row[:2] for row in rows]
    assert all(not cell.startswith("'-") for row in rows for cell in row)  # a negative number stays one
    details = page.locator("details").first
    details.locator("summary").click()
    assert "digest photos; seed 0" in details.inner_text() and "success@v1" in details.inner_text()
    page.close()
    assert complaints == []


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_meets_a_barrier(page_file, chromium, barriers, width, scheme):
    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(page_file.as_uri())
    for details in page.locator("details summary").all():
        details.click()
    assert barriers(page) == []
    page.close()


@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_cut_off(page_file, chromium, width, scheme):
    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(page_file.as_uri())
    for details in page.locator("details summary").all():
        details.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    outside = page.evaluate(
        """() => [...document.querySelectorAll("main :is(p, h1, h3, button, summary, li)")]
             .filter((node) => node.offsetParent !== null && !node.closest(".scroll"))
             .filter((node) => node.getBoundingClientRect().right > innerWidth + 1)
             .map((node) => node.outerHTML.slice(0, 90))"""
    )
    assert outside == []
    page.close()
