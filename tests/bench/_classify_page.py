"""From a photograph put into the uploader to what is seen of the answer, in headless Chromium."""

import io
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import BrowserContext, Page, sync_playwright

from core.runs import client
from core.vision.samples import sample_pictures
from tests.e2e.server import QUIET, chromium, running_app

LABEL = "daisy"  # what the photograph shows
PATIENCE_MS = 120_000
# Milliseconds from the browser's own "change" event: the label is laid out and not hidden; three pictures are drawn.
WATCH = """
([label]) => {
  const seen = window.__seen = {}
  const main = () => document.querySelector('[data-testid="stMain"]')
  const shown = () => {
    const texts = document.createTreeWalker(main(), NodeFilter.SHOW_TEXT)
    while (texts.nextNode()) {
      const place = texts.currentNode.parentElement
      if (texts.currentNode.data.includes(label) && place.getClientRects().length
          && getComputedStyle(place).visibility == 'visible') return true
    }
  }
  const look = () => {
    if (seen.began === undefined) return
    const now = performance.now() - seen.began
    if (seen.label === undefined && shown()) seen.label = now
    const drawn = [...main().querySelectorAll('img')].filter(img => img.complete && img.naturalWidth)
    if (seen.pictures === undefined && drawn.length >= 3) seen.pictures = now
    if (seen.label === undefined || seen.pictures === undefined) requestAnimationFrame(look)
  }
  document.querySelector('input[type=file]').addEventListener('change', () => {
    seen.began = performance.now()
    requestAnimationFrame(look)
  }, {capture: true})
}
"""


def measure(rounds: int) -> dict[str, Any]:
    """Milliseconds to the label and to the pictures: at once after the start of a server that has never run, at the
    first use once its processes are ready, and when warm (medians of `rounds` photographs, each in a new session)."""
    program = chromium()
    if program is None:
        raise SystemExit("Chromium is not installed")
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            Path(folder) / "browser", executable_path=program, args=QUIET, viewport={"width": 1280, "height": 900},
            bypass_csp=True,  # the pages forbid the scripts by which it watches
        )
        for name, patient in (("at once", False), ("first use", True)):
            os.environ["ATLAS_HOME"] = str(Path(folder) / name)
            with running_app() as url:
                page = _open(browser, url)
                if patient:
                    _wait_for_processes()
                found[name] = _classify(page, 0)
                if patient:
                    warm = [_classify(_open(browser, url), turn) for turn in range(1, rounds + 1)]
                    found["warm"] = {kind: statistics.median(one[kind] for one in warm) for kind in warm[0]}
                    found["warm slowest"] = {kind: max(one[kind] for one in warm) for kind in warm[0]}
            client.shutdown()
        browser.close()
    return found


def _wait_for_processes() -> None:
    deadline = time.monotonic() + 60
    while not ((state := client.ping()) and all(state["idle"].values())):
        assert time.monotonic() < deadline, "no warm process"
        time.sleep(0.1)
    time.sleep(3)  # somebody looks for a photograph


def _open(browser: BrowserContext, url: str) -> Page:
    page = browser.new_page()
    page.goto(f"{url}/classify?lang=en")
    page.locator("input[type=file]").first.wait_for(state="attached", timeout=PATIENCE_MS)
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(timeout=PATIENCE_MS)
    page.wait_for_timeout(500)
    return page


def _classify(page: Page, turn: int) -> dict[str, float]:
    page.evaluate(WATCH, [LABEL])
    file: dict[str, Any] = {"name": "flower.jpg", "mimeType": "image/jpeg", "buffer": _photograph(turn)}
    page.locator("input[type=file]").first.set_input_files(file)  # type: ignore[arg-type]
    page.wait_for_function("window.__seen.label && window.__seen.pictures", timeout=PATIENCE_MS)
    seen = page.evaluate("window.__seen")
    page.close()
    return {kind: round(seen[kind]) for kind in ("label", "pictures")}


def _photograph(turn: int) -> bytes:
    """As a telephone sends it, 12 megapixels, each other bytes so that nothing comes out of a cache."""
    flower = Image.open(io.BytesIO(sample_pictures()["flower"])).resize((4000, 3000))
    file = io.BytesIO()
    flower.save(file, "JPEG", quality=80 + turn % 15)
    return file.getvalue()


def report(found: dict[str, Any]) -> None:
    """A table of what `measure` found."""
    if found:
        print(f"\n{'ms after the upload':28}{'label':>12}{'pictures':>12}")
    for name, one in found.items():
        print(f"{name:28}{one['label']:12.0f}{one['pictures']:12.0f}")
