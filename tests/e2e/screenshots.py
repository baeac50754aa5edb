"""The pictures of the README: ``python -m tests.e2e.screenshots`` starts the app, does something on each page, and
writes ``tests/e2e/screenshots/<page>-<language>.png``. Needs Chromium and a font for Chinese."""

import io
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from core.runs import client
from core.vision.samples import sample_pictures
from tests.e2e.server import QUIET, chromium, running_app

FOLDER = Path(__file__).parent / "screenshots"
SIZE = {"width": 1280, "height": 1000}
COLOURS = 128  # of a picture: half the bytes, and nobody sees it


def _train(page: Page) -> None:
    page.locator(".st-key-train button").click()
    expect(page.locator(".stAlert").get_by_text("%").first).to_be_visible(timeout=120_000)
    page.wait_for_timeout(1500)
    page.locator(".stAlert").first.scroll_into_view_if_needed()


def _classify(page: Page) -> None:
    photograph: dict[str, Any] = {"name": "flower.jpg", "mimeType": "image/jpeg", "buffer": sample_pictures()["flower"]}
    page.locator("input[type=file]").first.set_input_files(photograph)  # type: ignore[arg-type]
    expect(page.get_by_text("daisy").first).to_be_visible(timeout=60_000)
    page.wait_for_timeout(1500)


def _play(page: Page) -> None:
    play = page.locator(".film button").first
    play.click(timeout=60_000)
    page.wait_for_timeout(2500)
    play.click()


def _live(page: Page) -> None:
    page.locator(".st-key-run-loop button").click()
    expect(page.locator('[data-state="done"]')).to_have_count(12, timeout=240_000)
    page.wait_for_timeout(1500)


def _look(page: Page) -> None:
    page.wait_for_timeout(3000)


def _save(png: bytes, path: Path) -> None:
    Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS).save(path, optimize=True)


PICTURES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "home": ("", _look),
    "concepts": ("concepts?node=deep-learning", _look),
    "train": ("train?preset=quick-look", _train),
    "classify": ("classify", _classify),
    "gradient-steps": ("gradient-steps?part=race", _play),
    "cross-entropy": ("cross-entropy", _look),
    "pipeline": ("pipeline?node=continual-learning", _live),
}


def main() -> None:
    program = chromium()
    if program is None:
        sys.exit("Chromium is not installed")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        os.environ["ATLAS_HOME"] = home
        with running_app() as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=QUIET)
            for language in ("en", "zh"):
                for name, (address, act) in PICTURES.items():
                    page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
                    page.goto(f"{url}/{address}{'&' if '?' in address else '?'}lang={language}")
                    page.locator("h1").wait_for(timeout=60_000)
                    act(page)
                    _save(page.screenshot(), FOLDER / f"{name}-{language}.png")
                    page.close()
            browser.close()
        client.shutdown()


if __name__ == "__main__":
    main()
