"""Measure how fast an HTML report opens, and follows its slider.

``python -m textedit_workshop.perf.report_opening [FILE]``
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

REPORT = Path("results/mini/report.html")
OPENS_MS, FOLLOWS_MS = 1500.0, 16.0
"""What a person waits for without noticing, and one frame of a screen."""


def measure(report: Path, chromium: str) -> tuple[float, float]:
    """Return milliseconds until the page is ready, and the mean per step of the slider."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(report.resolve().as_uri())
        page.wait_for_selector("html.ready", state="attached")
        opened = page.evaluate("performance.timing.domContentLoadedEventEnd - performance.timing.navigationStart")
        steps = page.evaluate(
            """() => new Promise((done) => {
                 const slider = document.querySelector("input[type=range]");
                 const began = performance.now();
                 for (let i = 0; i <= slider.max; i++) { slider.value = i; slider.dispatchEvent(new Event("input")); }
                 requestAnimationFrame(() => done((performance.now() - began) / (Number(slider.max) + 1)));
               })"""
        )
        browser.close()
    return float(opened), float(steps)


def main() -> int:
    """Print the figures; exit code 1 if they are worse than allowed, 0 if there is nothing to measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", nargs="?", type=Path, default=REPORT)
    report = parser.parse_args().report
    chromium = shutil.which("chromium")
    if chromium is None or not report.is_file():
        print(
            f"report: not measured, {'there is no chromium' if chromium is None else f'no {report}; run: make report'}"
        )
        return 0
    opened, step = measure(report, chromium)
    size = report.stat().st_size / 1e6
    print(f"report: {size:.1f} MB opens in {opened:.0f} ms (at most {OPENS_MS:.0f}), slider {step:.1f} ms a step")
    return int(opened > OPENS_MS or step > FOLLOWS_MS)


if __name__ == "__main__":
    sys.exit(main())
