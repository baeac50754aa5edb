"""The browser that the benches on pages look through: a real Chromium, and what it writes down by itself.

All times are the page's own (`performance.now`): from the start of navigation, or from a press.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, sync_playwright

from tests.e2e.server import QUIET, chromium

SETTLED_MS = 500  # without a change: nothing more will come
# The heading counts once it is another than the one of the page before. `painted` is one frame later.
WATCH = """
() => {
  const heading = () => {
    const one = document.querySelector('[data-testid="stMain"] h1')
    return one && one.getClientRects().length && getComputedStyle(one).visibility == 'visible' && one.textContent.trim()
  }
  const begin = (now, before) => { window.__seen = {began: now, before, title: null, painted: null, done: null} }
  begin(0, null)
  window.__again = () => { window.__armed = true }
  addEventListener('click', event => {
    if (window.__armed && event.target.closest('a')) { window.__armed = false; begin(event.timeStamp, heading()) }
  }, true)
  const look = () => {
    const seen = window.__seen, now = performance.now(), text = heading()
    seen.changed = now
    if (!seen.title && text && text != seen.before) {
      seen.title = now
      requestAnimationFrame(() => { setTimeout(() => { seen.painted = performance.now() }) })
    }
    const app = document.querySelector('[data-testid="stApp"]')
    if (seen.title && app && app.dataset.testScriptState == 'notRunning') seen.done ??= now
  }
  new MutationObserver(look).observe(document, {subtree: true, childList: true, attributes: true, characterData: true})
}
"""
READ = """
() => ({
  ...window.__seen, now: performance.now(),
  paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
})
"""


@contextmanager
def warm_browser() -> Iterator[BrowserContext]:
    """A Chromium whose HTTP cache and compiled scripts are kept, as those of a person who comes back."""
    program = chromium()
    if program is None:
        raise SystemExit("Chromium is not installed")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            Path(folder), executable_path=program, args=QUIET, viewport={"width": 1280, "height": 900},
            bypass_csp=True,  # the pages forbid the scripts by which it watches
        )  # fmt: skip
        try:
            yield browser
        finally:
            browser.close()


def watched(browser: BrowserContext) -> Page:
    """A new tab that notes what it sees."""
    page = browser.new_page()
    page.add_init_script(f"({WATCH})()")
    return page


def settled(page: Page) -> dict[str, Any]:
    """What the tab has noted since the last navigation or press, once nothing changes any more."""
    page.wait_for_function("window.__seen?.done", timeout=60_000)
    while (seen := page.evaluate(READ))["now"] - seen["changed"] < SETTLED_MS:
        page.wait_for_timeout(100)
    return dict(seen)
