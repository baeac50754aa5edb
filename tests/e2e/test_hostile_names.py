"""Hostile names in a real browser: they are shown as text, no script runs, no request leaves the machine."""

import contextlib
import time
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from core import people
from core.people import Person
from core.runs import store
from core.vision.recipe import PictureRecipe
from core.vision.samples import sample_pictures

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]
EVIL = "evil.example"
HOSTILE = (
    f'<img src=x onerror="window.hit=1"><script>window.hit=1</script>[a](https://{EVIL}/a)![b](https://{EVIL}/b)'
    f'<a href="javascript:window.hit=1">c</a> https://{EVIL} www.{EVIL} :red[d] $e$ <b>f</b>'
)
CLASSES = ["<img src=x onerror=hit=1>", f"[a](javascript:hit=1) www.{EVIL}", "=1+1 <b>f<br>", "![b](x) `c` $d$ :red[e]"]
ANN = Person("a" * 32)
PARAMETERS = {
    "train": ("dataset", "run", "preset", "learning_rate", "model"),
    "runs": ("run", "name", "states"),
    "classify": ("model", "sample"),
    "concepts": ("concept", "q", "kinds", "from", "to"),
    "pipeline": ("node", "run", "documents"),
    "article": ("part", "verdict", "chapter"),
    "backpropagation": ("expr", "v.x", "k", "part"),
    "cross-entropy": ("z", "target", "part", "run"),
    "gradient-steps": ("surface", "optimisers", "eta"),
    "playground": ("data", "models", "activation", "points"),
    "residual": ("data", "of", "after"),
    "language-model": ("prompt", "run", "part"),
}


@pytest.fixture(scope="module")
def run(app_url, tmp_path_factory):
    """A finished run whose classes, name and owner are hostile."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for place, name in enumerate(CLASSES):
        (folder / name).mkdir()
        for k in range(12):
            noise = rng.integers(0, 60, (16, 16, 3)) + 45 * place
            Image.fromarray(noise.astype(np.uint8)).save(folder / name / f"{k}.png")
    recipe = PictureRecipe.preset("quick-look", dataset=f"folder:{folder}", image_size=16, epochs=1)
    run_id = store.submit(recipe, ANN.id)
    deadline = time.monotonic() + 120
    while (found := store.get(run_id)).active:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert found.state == "finished", found.error
    store.rename(run_id, HOSTILE[:80], ANN)
    people.rename(ANN, HOSTILE[:40])
    return run_id


@pytest.fixture
def page(browser, app_url):
    """A page that notes what it asks of others; the test ends by looking that nothing became code."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=app_url)
    page = context.new_page()
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append(f"dialog {dialog.message}"))
    yield page
    assert [url for url in asked if not url.startswith((app_url, "data:", "blob:"))] == []
    context.close()


def settle(page) -> None:
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=60_000)
    page.wait_for_timeout(700)  # plotly draws after the script has ended


def harmless(page) -> None:
    settle(page)
    assert page.evaluate("window.hit") is None
    assert page.locator(f"a[href*='{EVIL}'], img[src*='{EVIL}'], [href^='javascript:']").count() == 0
    assert page.locator("img[src='x'], img[onerror]").count() == 0
    assert page.get_by_test_id("stException").count() == 0


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    "link",
    [
        "/train?run={run}", "/runs?run={run}", "/cross-entropy?run={run}", "/classify?model={run}&sample=flower",
        "/cross-entropy?run={run}&part=surface&classes=4", "/train?dataset=folder%3A%2Fno%2F{hostile}",
    ],
)  # fmt: skip
def test_a_hostile_run_is_shown_as_text(page, run, link, language):
    page.goto(link.format(run=run, hostile=quote(HOSTILE[:60], safe="")) + f"&lang={language}")
    harmless(page)


def test_names_are_seen_as_they_were_typed(page, run):
    page.goto(f"/runs?run={run}&lang=en")
    expect(page.get_by_text(HOSTILE[:40]).first).to_be_visible(timeout=60_000)
    page.goto(f"/train?run={run}&lang=en")
    axis = page.locator(".js-plotly-plot .yaxislayer-above text, .js-plotly-plot .xaxislayer-above text")
    expect(axis.filter(has_text=CLASSES[0]).first).to_be_attached(timeout=60_000)
    cell = page.locator(".js-plotly-plot .hm").first  # of the confusion matrix; its hover names two classes
    cell.scroll_into_view_if_needed()
    cell.hover(force=True)
    harmless(page)


@pytest.mark.parametrize("slug", PARAMETERS)
def test_a_hostile_link_is_harmless(page, slug):
    page.goto(f"/{slug}?lang=en&" + "&".join(f"{name}={quote(HOSTILE, safe='')}" for name in PARAMETERS[slug]))
    harmless(page)


def test_a_hostile_file_name_is_harmless(page):
    page.goto("/classify?lang=en")
    name = HOSTILE.replace("/", "∕")[:200]
    good = {"name": f"{name}.jpg", "mimeType": "image/jpeg", "buffer": sample_pictures()["flower"]}
    bad = {"name": f"{name}.png", "mimeType": "image/png", "buffer": b"no picture"}
    page.locator("input[type=file]").first.set_input_files([good, bad])
    expect(page.get_by_text("daisy").first).to_be_visible(timeout=60_000)
    harmless(page)


def test_pages_ask_nobody_outside(page):
    """Every page, each icon and font of it; the fixture looks at what was asked."""
    from app.navigation import VIEWS, find_views

    for view in find_views(VIEWS):
        page.goto(f"/{view.slug}?lang=zh")
        with contextlib.suppress(AssertionError):  # a page that computes for a minute has drawn itself by now
            settle(page)
