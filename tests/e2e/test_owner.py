"""Whose a run is, in two real browsers: it survives a reload, and a link gives a stranger no power."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]
CHANGES = ("stop", "resume", "rename", "delete")


def changes(page):
    return page.locator(", ".join(f"[class*='st-key-{what}-']" for what in CHANGES))


def test_a_run_stays_its_owners_through_reloads_and_belongs_to_no_other_browser(browser, app_url):
    mine, other = (browser.new_context(base_url=app_url).new_page() for _ in range(2))
    mine.goto("/train?lang=en&epochs=200")
    mine.locator(".st-key-train button").click()
    expect(mine).to_have_url(re.compile("run="), timeout=30_000)
    run = re.search("run=([a-z2-7]{10})", mine.url)[1]
    mine.reload()
    expect(mine.locator(f".st-key-stop-{run} button")).to_be_visible(timeout=30_000)
    for path in (f"/train?lang=en&run={run}", f"/runs?lang=en&run={run}"):
        other.goto(path)
        expect(other.get_by_text(re.compile("Training …|Only whoever began|Learning rate")).first).to_be_visible(
            timeout=30_000
        )
        expect(changes(other)).to_have_count(0)
    mine.locator(f".st-key-stop-{run} button").click()
    expect(mine.locator(f".st-key-resume-{run} button")).to_be_visible(timeout=30_000)
    cookies = {cookie["name"]: cookie for cookie in mine.context.cookies()}
    owner = next(cookie for name, cookie in cookies.items() if name.startswith("atlas_owner_"))
    assert owner["httpOnly"]
    assert owner["sameSite"] == "Lax"
    assert "atlas_owner" not in mine.evaluate("document.cookie")
    mine.context.close()
    other.context.close()
