"""The graph in a real browser: with the mouse, with the keyboard, on a phone, and as a file."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]


def test_mouse_and_keyboard_choose_a_node(page):
    page.goto("/concepts?graph=article&lang=en")
    page.get_by_role("button", name="Machine learning, field").click(timeout=30_000)
    expect(page.get_by_role("heading", name="Machine learning", exact=True)).to_be_visible(timeout=15_000)
    assert "node=machine-learning" in page.url
    node = page.get_by_role("button", name="Artificial intelligence, field")
    node.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Artificial intelligence", exact=True)).to_be_visible(timeout=15_000)
    expect(node).to_have_attribute("aria-pressed", "true")


def test_every_node_of_the_map_is_reached_with_tab(page):
    page.goto("/concepts?lang=en")
    first = page.locator(".node").first
    expect(first).to_be_attached(timeout=30_000)
    count = page.locator(".node").count()
    assert count >= 60
    first.focus()
    reached = set()
    for _ in range(count):
        reached.add(page.evaluate("document.activeElement.shadowRoot?.activeElement?.getAttribute('aria-label')"))
        page.keyboard.press("Tab")
    assert len(reached - {None}) == count


def test_the_graph_goes_home_as_a_picture(page, tmp_path):
    page.goto("/concepts?graph=article&lang=en")
    for name, start in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
        with page.expect_download(timeout=30_000) as download:
            page.get_by_role("button", name=f"Save as {name}").click()
        file = tmp_path / name
        download.value.save_as(file)
        assert file.read_bytes().startswith(start)
    assert "Deep" in (tmp_path / "SVG").read_text()


def test_a_phone_shows_a_list(page):
    page.set_viewport_size({"width": 400, "height": 800})
    page.goto("/pipeline?lang=zh")
    page.get_by_role("button", name=re.compile("提示学习")).last.click(timeout=30_000)
    expect(page.get_by_role("heading", name="提示学习", exact=True)).to_be_visible(timeout=15_000)
    assert "node=prompting" in page.url


def test_the_small_graphs_of_home_lead_to_their_pages(page):
    page.goto("/?lang=en")
    page.get_by_role("link", name="Machine learning, field").click(timeout=30_000)
    expect(page.get_by_role("heading", name="Machine learning", exact=True)).to_be_visible(timeout=15_000)
    assert "concepts?node=machine-learning" in page.url
    page.goto("/?lang=en")
    page.get_by_role("link", name="Few-shot learning, step").focus(timeout=30_000)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Few-shot learning", exact=True)).to_be_visible(timeout=15_000)
    assert "pipeline?node=few-shot-learning" in page.url


def test_home_is_a_list_on_a_phone_and_one_screen_on_a_laptop(page):
    page.set_viewport_size({"width": 400, "height": 800})
    page.goto("/?lang=zh")
    page.get_by_role("link", name="少样本学习", exact=True).click(timeout=30_000)
    expect(page.get_by_role("heading", name="少样本学习", exact=True)).to_be_visible(timeout=15_000)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto("/?lang=en")
    expect(page.get_by_text("This machine")).to_be_in_viewport(ratio=1, timeout=60_000)
