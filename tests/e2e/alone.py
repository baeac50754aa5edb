"""``python -m tests.e2e.alone``: app and browser on a network without any way out; every page, and a training.

Started in a namespace of its own (``unshare --user --map-root-user --net``), where nothing but the loopback exists:
what works here needs nobody. Prints what it saw as JSON and ends with 0 if every page came up.
"""

import json
import re
import subprocess
import sys
import time

from playwright.sync_api import expect, sync_playwright

from app.navigation import VIEWS, find_views
from tests.e2e.server import QUIET, chromium, running_app


def main() -> int:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    routes = subprocess.run(["ip", "route"], check=True, capture_output=True, text=True).stdout
    begun = time.monotonic()
    with running_app() as url, sync_playwright() as playwright:
        ready_s = time.monotonic() - begun
        browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        context = browser.new_context(base_url=url)
        asked: list[str] = []
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        shown = {}
        for view in find_views(VIEWS):
            page.goto(f"/{view.slug}?lang=en")
            heading = page.get_by_role("heading", level=1)
            expect(heading).to_be_visible(timeout=60_000)
            expect(page.get_by_test_id("stException")).to_have_count(0)
            shown[view.slug] = heading.inner_text()
        page.goto("/train?lang=en")
        page.locator(".st-key-train button").click()
        expect(page.get_by_text(re.compile("Finished: test accuracy"))).to_be_visible(timeout=120_000)
        browser.close()
    outside = [one for one in asked if not one.startswith((url, "data:", "blob:"))]
    print(json.dumps({"routes": routes, "ready_s": round(ready_s, 1), "pages": shown, "outside": outside}))
    return 1 if outside or routes.strip() else 0


if __name__ == "__main__":
    sys.exit(main())
