"""The real app in a real browser."""

import os
from collections.abc import Iterator

import pytest

from tests.e2e.server import QUIET, chromium, running_app


@pytest.fixture(scope="session")
def app_url(atlas_home) -> Iterator[str]:
    """The address of the app."""
    with running_app() as url:
        yield url


@pytest.fixture
def page(browser, app_url):
    """A tab of its own, so tall that what is pressed by its place is in sight."""
    context = browser.new_context(viewport={"width": 1280, "height": 1600}, base_url=app_url)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def browser():
    if os.environ.get("ATLAS_BROWSER_TESTS") != "1":
        pytest.skip("browser tests are off; set ATLAS_BROWSER_TESTS=1")
    program = chromium()
    if program is None:
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=QUIET)
        yield browser
        browser.close()
