"""A newcomer's walk: train digits, see the curve move, classify a photograph; in Chinese and in English."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from core.vision.samples import sample_pictures

# Playwright's event loop warns about sockets that its driver closes later.
pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]
CURVE = ".js-plotly-plot .scatterlayer path.js-line"


def screenshot(page, name: str) -> None:
    if folder := os.environ.get("ATLAS_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_train_digits(page):
    page.goto("/train?lang=en")
    page.locator(".st-key-train button").click()
    expect(page.locator(CURVE).first).to_be_attached(timeout=30_000)
    expect(page.get_by_text("Finished: test accuracy")).to_be_visible(timeout=90_000)
    expect(page.get_by_role("heading", name="Confusion matrix")).to_be_visible()
    screenshot(page, "train")
    page.reload()
    expect(page.get_by_text("Finished: test accuracy")).to_be_visible(timeout=30_000)


def test_classify_a_photograph(page):
    page.goto("/classify?lang=zh")
    photograph = {"name": "花.jpg", "mimeType": "image/jpeg", "buffer": sample_pictures()["flower"]}
    page.locator("input[type=file]").first.set_input_files(photograph)
    expect(page.get_by_text("daisy").first).to_be_visible(timeout=60_000)
    screenshot(page, "classify")


def test_the_language_survives_navigation_and_reload(page):
    page.goto("/?lang=zh")
    expect(page.get_by_role("heading", name="AI 概念图谱")).to_be_visible(timeout=30_000)
    screenshot(page, "home")
    ways_in = page.get_by_role("link", name="打开")
    expect(ways_in).to_have_count(4)  # React may draw the third first
    ways_in.first.click()
    expect(page).to_have_url(re.compile("/concepts.*lang=zh"), timeout=30_000)
    expect(page.get_by_role("heading", name="概念", exact=True)).to_be_visible(timeout=30_000)
    page.reload()
    expect(page.get_by_role("heading", name="概念", exact=True)).to_be_visible(timeout=30_000)
    assert "lang=zh" in page.url
