"""How soon a person sees a page: ``python -m tests.bench.pages [--json] [--rounds N] [--pages train,classify]``.

A server and a home of its own, each page opened once to warm both, then again and again in one Chromium whose HTTP
cache and compiled scripts are kept, as those of a person who comes back. Milliseconds from the start of navigation:

* first paint: anything drawn from the page's content, text or picture (Chromium's First Contentful Paint)
* title: the page's own heading is laid out and not hidden
* done: the script has ended, and nothing has changed on the page since (it is watched for half a second more)

Beside them the server's own time, asked over its socket without a browser: from the request to the page's heading,
and to the end of the script. The first row is an app that shows a title and a sentence and nothing else: what
Streamlit itself costs in this browser. Medians; with ``--json`` the last line is one JSON object.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext, sync_playwright
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as websocket

from app.navigation import DEFAULT, VIEWS, find_views
from tests.bench._timing import surroundings
from tests.e2e.server import QUIET, chromium, running_app

EMPTY = "an empty app"
SCRIPT = 'import streamlit as st\nst.set_page_config(layout="wide")\nst.title("Empty")\nst.markdown("A sentence.")\n'
SETTLED_MS = 500  # without a change: nothing more will come
WATCH = """
() => {
  const seen = window.__seen = {title: null, done: null}
  const look = () => {
    const now = performance.now()
    seen.changed = now
    const title = document.querySelector('[data-testid="stMain"] h1')
    if (!seen.title && title && title.textContent.trim() && title.getClientRects().length &&
        getComputedStyle(title).visibility == 'visible') seen.title = now
    const app = document.querySelector('[data-testid="stApp"]')
    if (seen.title && app && app.dataset.testScriptState == 'notRunning') seen.done ??= now
  }
  new MutationObserver(look).observe(document, {subtree: true, childList: true, attributes: true, characterData: true})
}
"""
READ = """
() => ({
  paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
  title: window.__seen.title, done: window.__seen.done, changed: window.__seen.changed, now: performance.now(),
})
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.pages", description=__doc__)
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pages", help="only these, with commas between")
    options = parser.parse_args()
    program = chromium()
    if program is None:
        raise SystemExit("Chromium is not installed")
    wanted = options.pages.split(",") if options.pages else [view.slug for view in find_views(VIEWS)]
    addresses = {slug: "" if slug == DEFAULT else slug for slug in wanted}
    print(" · ".join(f"{name} {value}" for name, value in surroundings().items()))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        os.environ["ATLAS_HOME"] = str(Path(folder) / "home")
        empty = Path(folder) / "empty.py"
        empty.write_text(SCRIPT)
        browser = playwright.chromium.launch_persistent_context(
            Path(folder) / "browser", executable_path=program, args=QUIET, viewport={"width": 1280, "height": 900},
            bypass_csp=True,  # the pages forbid the scripts by which it watches
        )
        with running_app(empty) as bare, running_app() as ours:
            places = {EMPTY: bare} | {slug: f"{ours}/{address}?lang=en" for slug, address in addresses.items()}
            found = _taking_turns(places, options.rounds, lambda url: _visit(browser, url) | _ask(url))
        browser.close()
        from core.runs import client

        client.shutdown()
    _print(found)
    if options.json:
        print(json.dumps({"surroundings": surroundings(), "pages": found}))


def _taking_turns(
    places: dict[str, str], rounds: int, measure: Callable[[str], dict[str, float]]
) -> dict[str, dict[str, float]]:
    """Medians for every page; a busy minute hits all of them alike. The first two rounds warm up."""
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in places}
    for turn in range(rounds + 2):
        for name, url in places.items():
            one = measure(url)
            if turn >= 2:
                measured[name].append(one)
    return {
        name: {kind: statistics.median(one[kind] for one in ones) for kind in ones[0]}
        for name, ones in measured.items()
    }


def _visit(browser: BrowserContext, url: str) -> dict[str, float]:
    page = browser.new_page()
    page.add_init_script(f"({WATCH})()")
    page.goto(url, wait_until="commit")
    page.wait_for_function("window.__seen?.done", timeout=60_000)
    while (seen := page.evaluate(READ))["now"] - seen["changed"] < SETTLED_MS:
        page.wait_for_timeout(100)
    page.close()
    return {"paint": seen["paint"], "title": seen["title"], "done": seen["changed"]}


def _ask(url: str) -> dict[str, float]:
    """What the server needs for a first visit, in milliseconds."""
    host, _slash, rest = url.removeprefix("http://").partition("/")
    name, _mark, query = rest.partition("?")
    request = BackMsg()
    request.rerun_script.query_string = query
    request.rerun_script.page_name = name
    request.rerun_script.context_info.locale = "en"
    with websocket(f"ws://{host}/_stcore/stream", subprotocols=["streamlit"], max_size=None) as socket:  # type: ignore[list-item]
        began = time.perf_counter()
        socket.send(request.SerializeToString())
        return _until_finished(socket, began)


def _until_finished(socket: ClientConnection, began: float) -> dict[str, float]:
    heading, size = 0.0, 0
    for frame in socket:
        assert isinstance(frame, bytes)
        size += len(frame)
        message = ForwardMsg.FromString(frame)
        now = 1000 * (time.perf_counter() - began)
        if message.delta.new_element.WhichOneof("type") == "heading":
            heading = heading or now
        # A page that writes into its link asks to be run again: only the last end counts.
        if message.WhichOneof("type") == "script_finished" and message.script_finished == 0:
            return {"server_title": heading, "server": now, "kb": size / 1000}
    raise AssertionError("the server hung up")


def _print(found: dict[str, dict[str, float]]) -> None:
    print(f"{'ms':24}{'paint':>8}{'title':>8}{'/ empty':>9}{'done':>8}{'server: title':>15}{'all':>7}{'kB':>8}")
    for name, one in found.items():
        ratio = one["title"] / found[EMPTY]["title"]
        print(f"{name:24}{one['paint']:8.0f}{one['title']:8.0f}{ratio:9.2f}{one['done']:8.0f}"
              f"{one['server_title']:15.0f}{one['server']:7.0f}{one['kb']:8.0f}")  # fmt: skip


if __name__ == "__main__":
    main()
