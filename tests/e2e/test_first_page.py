"""The page that a browser loads first: the app is found at once, under its own name, and other addresses still lead."""

import http.client
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from app.serving.first_page import first_page, streamlits_own

pytestmark = pytest.mark.filterwarnings("default")


def asked(app_url: str, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(urlsplit(app_url).netloc, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


@pytest.mark.parametrize("path", ["/", "/cross-entropy", "/train?preset=quick-look"])
def test_every_page_has_it(app_url, path):
    assert asked(app_url, path) == (200, first_page())


def test_other_addresses_are_streamlits(app_url):
    assert asked(app_url, "/no-such-page") == (200, streamlits_own())
    assert "Concept Atlas" in first_page()
    assert "Concept Atlas" not in streamlits_own()


@pytest.mark.browser
@pytest.mark.parametrize("path", ["/", "/cross-entropy", "/no-such-page"])
def test_the_server_is_found_at_the_first_try(browser, app_url, path):
    context = browser.new_context(base_url=app_url)
    page = context.new_page()
    missing, told = [], []
    page.on("response", lambda answer: missing.append(answer.url) if answer.status >= 400 else None)
    page.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
    page.goto(f"{path}?lang=en")
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=30_000)
    assert bool(missing) == (path == "/no-such-page")
    assert path == "/no-such-page" or not told
    context.close()
