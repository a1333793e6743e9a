"""For every test: the project comes before torch, so that waiting threads sleep in tests as they do for users."""

import textedit_bench  # noqa: F401, I001

import os
import shutil

import pytest
from hypothesis import HealthCheck, settings

# A test that others slow down is not a slow test.
settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")


@pytest.fixture(scope="module")
def chromium():
    """Debian's Chromium, driven by Playwright; tests are skipped where either is missing, but never in CI."""
    program = shutil.which("chromium")
    if os.environ.get("CI"):
        assert program is not None, "no chromium: apt-get install chromium"
    elif program is None:
        pytest.skip("needs Debian's package chromium; .ci/run installs it")
    else:
        pytest.importorskip("playwright.sync_api")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def barriers():
    """``barriers(page)`` lists what axe-core calls serious or critical; skipped without it, but never in CI."""
    if not os.environ.get("CI"):
        pytest.importorskip("axe_playwright_python")
    from axe_playwright_python.sync_playwright import Axe

    def found(page):
        violations = Axe().run(page).response["violations"]
        grave = [each for each in violations if each["impact"] in ("serious", "critical")]
        return [(each["id"], node["html"][:120]) for each in grave for node in each["nodes"]]

    return found
