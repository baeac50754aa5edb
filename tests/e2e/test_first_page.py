"""The first page knows where its server is and what it will need, and the policy lets it say so."""

import base64
import hashlib
import re

import pytest
from playwright.sync_api import expect

from tests.e2e.raw import ask


@pytest.mark.parametrize("path", ["/", "/train", "/?lang=zh"])
def test_every_page_carries_the_script_and_may_run_it(app_url, path):
    status, headers, body = ask(app_url, path)
    assert status == 200
    assert int(headers["content-length"]) == len(body)
    first = re.search(r"<script>(.*?)</script>", body.decode(), re.DOTALL)
    assert first is not None
    assert "BACKEND_BASE_URL" in first[1]
    digest = base64.b64encode(hashlib.sha256(first[1].encode()).digest()).decode()
    assert f"'sha256-{digest}'" in headers["content-security-policy"]
    assert body.index(first[0].encode()) < body.index(b"<script type=")


def test_what_is_named_in_the_head_is_there(app_url):
    link = ask(app_url, "/")[1]["link"]
    named = re.findall(r"<\.(/static/js/[^>]+)>; rel=modulepreload; crossorigin", link)
    assert any("ButtonGroup" in name for name in named)
    assert len(named) == link.count("<")
    for name in named:
        status, headers, _body = ask(app_url, name)
        assert (status, headers["content-type"].split(";")[0]) == (200, "text/javascript")


def test_only_pages_are_changed(app_url):
    assert ask(app_url, "/_stcore/health")[2] == b"ok"
    assert ask(app_url, "/", "HEAD")[0] == 200
    for path in ("/favicon.png", "/media/nothing.html"):
        assert b"BACKEND_BASE_URL" not in ask(app_url, path)[2]


@pytest.mark.browser
@pytest.mark.filterwarnings("default")
def test_a_page_does_not_look_for_its_server(browser, app_url):
    """Without being told, Streamlit asks below the page's own address first, and waits after the refusal."""
    context = browser.new_context()
    page = context.new_page()
    wrong: list[str] = []
    said: list[str] = []
    page.on("response", lambda answer: wrong.append(answer.url) if answer.status >= 400 else None)
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto(f"{app_url}/train?lang=en")
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=30_000)
    page.wait_for_timeout(1000)
    assert wrong == []
    assert said == []
    context.close()
