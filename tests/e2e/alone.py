"""``python -m tests.e2e.alone FILE``: app and browser on a network without any way out; every page, a run, a picture.

Started in a namespace of its own (``unshare --user --map-root-user --net``), where nothing but the loopback exists:
what works here needs nobody. And nobody is even called: every process of the app writes to FILE whom it speaks to.
At the end a download is pressed, which must be heard. Prints what it saw as JSON.
"""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import psutil
from playwright.sync_api import Locator, Page, expect, sync_playwright

from app.navigation import VIEWS, find_views
from core.runs import client, store
from tests.e2e.server import QUIET, chromium, running_app
from tests.e2e.watching import environment, heard

SHOWN_S = 60_000  # milliseconds


def main() -> int:
    watched = Path(sys.argv[1])
    routes, apart = "", "--apart" in sys.argv
    if apart:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        routes = subprocess.run(["ip", "route"], check=True, capture_output=True, text=True).stdout
    os.environ.update(environment(watched))
    begun = time.monotonic()
    with running_app() as url, sync_playwright() as playwright:
        ready_s = time.monotonic() - begun
        browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        context = browser.new_context(base_url=url)
        asked: list[str] = []
        context.on("request", lambda request: asked.append(request.url))
        context.set_default_timeout(SHOWN_S)
        page = context.new_page()
        shown = {view.slug: _opened(page, view.slug) for view in find_views(VIEWS)}
        trainer, run_id = _trained(page)
        _classified(page, run_id)
        alive = _processes()
        button = _offered(page)
        found = heard(watched)
        if apart:
            button.click()
            expect(page.get_by_text("cannot be downloaded").first).to_be_visible(timeout=SHOWN_S)
        when_pressed = heard(watched).outside[len(found.outside) :]
        browser.close()
    client.shutdown()
    told = {
        "routes": routes.strip(), "ready_s": round(ready_s, 1), "seconds": round(time.monotonic() - begun, 1),
        "pages": shown, "asked_outside": [one for one in asked if not one.startswith((url, "data:", "blob:"))],
        "called_outside": found.outside, "called_inside": found.inside, "heard": len(found.born),
        "called_when_pressed": when_pressed,
        "unheard": [name for pid, name in {trainer: "trainer", **alive}.items() if pid not in found.born],
    }  # fmt: skip
    print(json.dumps(told))
    return 0


def _opened(page: Page, slug: str) -> str:
    page.goto(f"/{slug}?lang=en")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_be_visible(timeout=SHOWN_S)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    return heading.inner_text()


def _trained(page: Page) -> tuple[int, str]:
    """The process that trained a run of the Train page, and the run."""
    page.goto("/train?lang=en")
    page.locator(".st-key-train button").click()
    page.wait_for_url(re.compile("run="), timeout=SHOWN_S)
    run_id = re.search("run=([a-z2-7]{10})", page.url)[1]
    trainer = None
    while trainer is None and store.get(run_id).active:
        trainer = store.get(run_id).folder.read_state().get("pid")
    assert trainer is not None, "it was too quick to be seen"
    expect(page.get_by_text(re.compile("Finished: test accuracy"))).to_be_visible(timeout=2 * SHOWN_S)
    return trainer, run_id


def _classified(page: Page, run_id: str) -> None:
    """By the ImageNet model, and by the run that has just been trained."""
    page.goto("/classify?lang=en&sample=flower")
    expect(page.get_by_text("daisy").first).to_be_visible(timeout=SHOWN_S)
    page.goto(f"/classify?lang=en&sample=flower&model={run_id}")
    expect(page.get_by_test_id("stProgress").first).to_be_visible(timeout=SHOWN_S)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


def _offered(page: Page) -> Locator:
    """The button that would fetch a data set, and nothing that does so by itself."""
    page.goto("/classify?lang=en&sample=flower&model=imagenet-resnet18")
    expect(page.locator(".st-key-download-imagenet-resnet18 button")).to_be_visible(timeout=SHOWN_S)
    page.goto("/train?lang=en&dataset=cifar10")
    button = page.locator(".st-key-download-cifar10 button")
    expect(button).to_be_visible(timeout=SHOWN_S)
    page.locator(".st-key-train button").click()
    expect(page.get_by_text("cifar10 is not on this machine yet")).to_have_count(2, timeout=SHOWN_S)
    return button


def _processes() -> dict[int, str]:
    """All living processes of the app: what we have started, without the browser and its driver."""
    found = {}
    for process in psutil.Process().children(recursive=True):
        command = process.cmdline()
        if command and "python" in Path(command[0]).name:
            found[process.pid] = " ".join(command)[:100]
    return found


if __name__ == "__main__":
    sys.exit(main())
