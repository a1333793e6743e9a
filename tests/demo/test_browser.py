"""The demo in Debian's Chromium: type, slide, upload, generate, bad input; nothing comes from another host."""

from __future__ import annotations

import os
import shlex
import socket

import pytest
from PIL import Image

if not os.environ.get("CI"):
    pytest.importorskip("gradio", reason="needs the extra demo")


@pytest.fixture
def page(desk, chromium, tmp_path, monkeypatch):
    """The demo of the toy data set; a request to another host, or a complaint of the page, fails the test."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    (tmp_path / "uploads").mkdir()
    from textedit_bench.demo.app import start

    looked_up = []
    look_up = socket.getaddrinfo

    def getaddrinfo(host, *given, **options):
        looked_up.append(host)
        return look_up(host, *given, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    blocks = start(lambda name: desk, ["toy"], tmp_path / "uploads", "127.0.0.1", None)
    complaints: list[str] = []
    try:
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(120_000)  # a busy machine
        page.requests = []
        page.on("request", lambda request: page.requests.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(blocks.local_url)
        page.wait_for_selector(".chosen")
        yield page
        outside = [url for url in page.requests if not url.startswith((blocks.local_url, "data:", "blob:"))]
        page.close()
        assert (complaints, outside) == ([], [])
        assert set(looked_up) <= {"127.0.0.1", "localhost", None}  # nor does the server ask anyone
    finally:
        blocks.close(verbose=False)


def _cut_off(page):
    return page.evaluate(
        """() => document.documentElement.scrollWidth > innerWidth || [...document.querySelectorAll(".card, .card *")]
             .some((node) => node.offsetParent && node.getBoundingClientRect().right > innerWidth + 1)"""
    )


@pytest.mark.parametrize("width", [360, 1280])
def test_nobody_meets_a_barrier(page, barriers, width):
    page.set_viewport_size({"width": width, "height": 900})
    assert barriers(page) == []
    page.fill("#text textarea, #text input", "bright top")
    page.click("#edit")
    page.wait_for_selector("#results .at:visible img")
    page.mouse.move(0, 0)
    page.wait_for_timeout(400)  # colours change slowly
    assert barriers(page) == []


def _seen(page):
    return page.locator("#results .at:visible img").get_attribute("src")


def test_a_visit(page, desk, work, tmp_path):
    # Type.
    assert page.locator(".strip img").count() == 8
    assert page.get_by_text("Raw (not trained here)").count() == 1
    page.fill("#text textarea, #text input", "bright top")
    page.click("#edit")
    page.wait_for_selector("#results .at:visible img")
    first = _seen(page)
    assert first == desk.sweep("evaluation-00000", "bright top", "shift").shown[2].picture
    assert "Success" in page.locator("#results .at:visible dl").inner_text()
    assert page.locator("#results .reading:visible").inner_text().startswith("Oracle: top: ")
    # Slide: no request, no work.
    asked, before = len(page.requests), len(work.sweeps)
    page.fill("#strength input[type=number]", "2")
    page.locator("#strength input[type=number]").blur()
    page.wait_for_selector("#results .at[data-strength='2.0']:visible")
    assert _seen(page) != first
    page.locator("#results summary:visible").click()
    assert "--strength 2 " in page.locator("#results code:visible").inner_text()
    assert (len(page.requests), len(work.sweeps)) == (asked, before)
    for width in (360, 768, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        assert not _cut_off(page), width
    # A sample, then an upload, which is gone from the disk once it is read.
    chosen = page.locator(".chosen").get_attribute("src")
    page.locator(".strip button").nth(2).click()
    page.wait_for_function("old => document.querySelector('.chosen').src !== old", arg=chosen)
    Image.new("RGB", (50, 40), "teal").save(tmp_path / "mine.png")
    page.set_input_files("#upload input[type=file], input[type=file]", tmp_path / "mine.png")
    page.wait_for_function("document.querySelector('#photo-id input, #photo-id textarea').value.startsWith('upload-')")
    page.click("#edit")
    page.wait_for_function(
        "[...document.querySelectorAll('#results code')].some(c => c.textContent.includes('mine.png'))"
    )
    assert [file for file in (tmp_path / "uploads").rglob("*") if file.is_file() and file.stat().st_size] == []
    # What goes wrong is one message.
    (tmp_path / "notes.png").write_text("no picture")
    page.set_input_files("#upload input[type=file], input[type=file]", tmp_path / "notes.png")
    page.locator(".notice", has_text="photo notes.png: cannot be read as a picture").wait_for()
    page.fill("#text textarea, #text input", "")
    page.click("#edit")
    page.locator(".notice", has_text="prompt: it is empty").wait_for()
    page.get_by_label("Shift", exact=True).uncheck()
    page.get_by_label("Raw (not trained here)").check()
    page.get_by_label("Fussy").check()
    page.fill("#text textarea, #text input", "bright top")
    page.click("#edit")
    page.locator(".notice", has_text="no chosen method takes 'bright top'").wait_for()
    assert page.locator(".notice").count() == 1
    assert "Traceback" not in page.inner_text("body")
    # Generate.
    page.get_by_role("tab", name="Generate").click()
    page.fill("#words textarea, #words input", "bright top")
    page.click("#generate")
    page.wait_for_selector("#made img")
    assert page.locator("#made img").count() == 4 and page.locator(".notice").count() == 0
    page.locator("#made summary").click()
    assert shlex.split(page.locator("#made code").inner_text())[:2] == ["textedit-bench", "generate"]
