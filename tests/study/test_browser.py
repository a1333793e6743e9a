"""A participant's way through a study in Debian's Chromium, on a phone and on a desk, and what the file says."""

from __future__ import annotations

import json

import pytest

from textedit_bench.cli.main import main


@pytest.fixture(scope="module")
def study(store, tmp_path_factory):
    page = tmp_path_factory.mktemp("study") / "study.html"
    words = ["-d", "ffhq", "--results", str(store.root), "-o", str(page), "-n", "3", "--checks", "2"]
    assert main(["study", "make", *words]) == 0
    return page


@pytest.fixture
def opened(study, chromium):
    """``opened(width)`` gives the page in a browser that may reach no network; complaints fail the test."""
    complaints: list[str] = []
    contexts = []

    def open_page(width=1280, **options):
        context = chromium.new_context(viewport={"width": width, "height": 780}, accept_downloads=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url) if request.url[:4] == "http" else None)
        page.goto(study.as_uri())
        page.wait_for_selector("html.ready", state="attached")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def _start(page, code):
    page.fill("#code", code)
    page.click("#begin")
    page.wait_for_selector("#trial:not([hidden])")


def _count(page):
    return page.locator("#progress progress").evaluate("bar => bar.value")


def _answered(page, count):
    page.locator("#progress span", has_text=f"{count} of").wait_for()


def _save(page, path):
    with page.expect_download() as download:
        page.click("#save")
    download.value.save_as(path)
    return json.loads(path.read_text())


def _cut_off(page):
    return page.evaluate(
        """() => document.documentElement.scrollWidth > innerWidth || [...document.querySelectorAll("main *")]
             .some((node) => node.offsetParent && node.getBoundingClientRect().right > innerWidth + 1)"""
    )


def test_answers_by_touch_and_by_keyboard_are_analysed(study, opened, tmp_path, capsys):
    saved = []
    for code, width, touch in (("phone", 360, True), ("desk", 1280, False)):
        page = opened(width, has_touch=touch)
        assert not _cut_off(page)
        _start(page, code)
        for number in range(10):
            assert _count(page) == number and not _cut_off(page)
            option = page.locator("#options button").nth(number % 2)
            option.tap() if touch else page.keyboard.press(str(1 + number % 2))
            _answered(page, number + 1)
        assert page.locator("#end").is_visible() and not _cut_off(page)
        assert page.evaluate("document.activeElement.textContent") == "Thank you!"
        saved.append(_save(page, tmp_path / f"{code}.json"))
    assert [[len(one["answers"]), one["participant"]] for one in saved] == [[10, "phone"], [10, "desk"]]
    key = json.loads(study.with_suffix(".key.json").read_text())
    for one in saved:
        asked = [key["trials"][answer["trial"]]["question"] for answer in one["answers"]]
        assert asked in (["fits"] * 5 + ["keeps"] * 5, ["keeps"] * 5 + ["fits"] * 5)
        for number, answer in enumerate(one["answers"]):
            assert answer["chosen"] == answer["shown"][number % 2]  # the picture that was touched
    orders = [[(answer["trial"], *answer["shown"]) for answer in one["answers"]] for one in saved]
    assert orders[0] != orders[1]
    words = [
        "study",
        "analyse",
        str(study.with_suffix(".key.json")),
        str(tmp_path / "phone.json"),
        str(tmp_path / "desk.json"),
    ]
    assert main([*words, "--bar", "0", "--output", str(tmp_path / "out")]) == 0
    out = capsys.readouterr().out
    assert "Method Gamma" in out and "Raters: 2; left out: 0." in out
    assert "Fits the text: what people choose" in (tmp_path / "out" / "study.md").read_text()
    assert (tmp_path / "out" / "study.csv").read_text().startswith("question,what,name,answers,value,low,high\n")


def test_the_same_code_gives_the_same_order_in_another_browser(opened, tmp_path):
    files = []
    for number in range(2):
        page = opened()
        _start(page, "same")
        for place in range(3):
            page.keyboard.press("2")
            _answered(page, place + 1)
        files.append(_save(page, tmp_path / f"{number}.json"))
    assert files[0] == files[1]


def test_a_study_goes_on_after_a_reload_and_from_a_file(opened, tmp_path):
    page = opened()
    _start(page, "patient")
    for number in range(4):
        page.keyboard.press("1")
        _answered(page, number + 1)
    page.click("#back")
    assert _count(page) == 3
    _save(page, tmp_path / "early.json")
    page.reload()
    page.wait_for_selector("html.ready", state="attached")
    assert page.input_value("#code") == "patient"
    page.click("#begin")
    assert _count(page) == 3
    other = opened()
    other.set_input_files("#file", tmp_path / "early.json")
    other.wait_for_selector("#trial:not([hidden])")
    assert _count(other) == 3
    assert _save(other, tmp_path / "later.json") == json.loads((tmp_path / "early.json").read_text())


@pytest.mark.parametrize("spoil", ['{"study": "x"}', "no json", "change"])
def test_a_file_of_another_study_is_not_taken(opened, tmp_path, spoil):
    page = opened()
    _start(page, "p")
    page.keyboard.press("1")
    _answered(page, 1)
    value = _save(page, tmp_path / "a.json")
    value["answers"][0]["trial"] = "<img src=x onerror=alert(1)>"
    (tmp_path / "a.json").write_text(json.dumps(value) if spoil == "change" else spoil)
    page.reload()
    page.set_input_files("#file", tmp_path / "a.json")
    page.locator("#problem", has_text="This file is not of this study.").wait_for()
    page.fill("#code", "not a code!")
    page.click("#begin")
    page.locator("#problem", has_text="A code has 1 to 32 letters").wait_for()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_meets_a_barrier(opened, barriers, width, scheme):
    page = opened(width, color_scheme=scheme)
    assert barriers(page) == []
    _start(page, "p")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (sum(ground) > 380) == (scheme == "light")
    assert page.evaluate("document.activeElement.tagName") == "H1"  # a screen reader reads the new question
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.ariaLabel") == "Picture 1"
    assert barriers(page) == []
