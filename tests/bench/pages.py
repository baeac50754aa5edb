"""How soon a person sees a page: ``python -m tests.bench.pages [--json] [--rounds N] [--pages train,classify]``.

A server and a home of its own, each page opened twice to warm both, then again and again in one Chromium whose HTTP
cache and compiled scripts are kept, as those of a person who comes back. Opened by its address (a reload, a link that
somebody sent), in a tab that has been on this server before, in milliseconds from the start of navigation:

* paint: anything drawn from the page's content, text or picture (Chromium's First Contentful Paint)
* title: the page's own heading is laid out and not hidden
* done: the script has ended, and nothing has changed on the page since (it is watched for half a second more)

Gone to by a click in the navigation, as within a lesson, in milliseconds from the click:

* click: the page's own heading is drawn
* ready: `done`, counted from the click

Beside them the server's own time, asked over its socket without a browser: from the request to the page's heading,
and to the end of the script. The first row is an app that shows a title and a sentence and nothing else: what
Streamlit itself costs in this browser. Then the cold start: from ``streamlit run`` to Home's heading in a browser that
is open and asks again and again. Medians; the table is Markdown; with ``--json`` the last line is one JSON object.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin

from playwright.sync_api import BrowserContext, Page
from playwright.sync_api import Error as BrowserError
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as websocket

from app.navigation import DEFAULT, VIEWS, find_views
from tests.bench._browser import settled, warm_browser, watched
from tests.bench._timing import surroundings
from tests.e2e.server import free_port, running_app, started

EMPTY = "an empty app"
SCRIPT = 'import streamlit as st\nst.set_page_config(layout="wide")\nst.title("Empty")\nst.markdown("A sentence.")\n'
WARM_UP = 2  # rounds
COLUMNS = ("paint", "title", "done", "click", "ready", "server_title", "server", "kb")
HEADINGS = ("page", "paint", "title", "done", "click", "ready", "server: title", "server: all", "kB")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.pages", description=__doc__)
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cold", type=int, default=5, help="cold starts to measure; 0 for none")
    parser.add_argument("--pages", help="only these, with commas between; none for none")
    options = parser.parse_args()
    wanted = options.pages.split(",") if options.pages else [view.slug for view in find_views(VIEWS)]
    wanted = [slug for slug in wanted if slug != "none"]
    print(" · ".join(f"{name} {value}" for name, value in surroundings().items()))
    found, cold = {}, []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["ATLAS_HOME"] = str(Path(folder) / "home")
        with warm_browser() as browser:
            if wanted:
                empty = Path(folder) / "empty.py"
                empty.write_text(SCRIPT)
                with running_app(empty) as bare, running_app() as ours:
                    found = _measured(browser, bare, ours, wanted, options.rounds)
            if options.cold:
                cold = _cold_starts(browser, options.cold)
        from core.runs import client

        client.shutdown()
    _print(found)
    if cold:
        print(f"Cold start, s: median {statistics.median(cold):.2f}, each {', '.join(f'{one:.2f}' for one in cold)}")
    if options.json:
        print(json.dumps({"surroundings": surroundings(), "pages": found, "cold_start_s": cold}))


def _measured(
    browser: BrowserContext, bare: str, ours: str, slugs: list[str], rounds: int
) -> dict[str, dict[str, float]]:
    places = {EMPTY: bare} | {slug: f"{ours}/{'' if slug == DEFAULT else slug}?lang=en" for slug in slugs}
    found = _taking_turns(places, rounds, lambda url: _visit(browser, url) | _ask(url))
    tab = watched(browser)
    tab.goto(f"{ours}/runs?lang=en")
    settled(tab)
    clicks = _taking_turns(dict.fromkeys(slugs, ""), rounds, lambda slug: _go(tab, slug), by_name=True)
    tab.close()
    return {name: one | clicks.get(name, {}) for name, one in found.items()}


def _taking_turns(
    places: dict[str, str], rounds: int, measure: Callable[[str], dict[str, float]], by_name: bool = False
) -> dict[str, dict[str, float]]:
    """Medians for every page; a busy minute hits all of them alike. The first rounds warm up."""
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in places}
    for turn in range(rounds + WARM_UP):
        for name, url in places.items():
            one = measure(name if by_name else url)
            if turn >= WARM_UP:
                measured[name].append(one)
    return {
        name: {kind: statistics.median(one[kind] for one in ones) for kind in ones[0]}
        for name, ones in measured.items()
    }


def _visit(browser: BrowserContext, url: str) -> dict[str, float]:
    tab = watched(browser)
    tab.goto(urljoin(url, "/_stcore/health"))
    tab.goto(url, wait_until="commit")
    seen = settled(tab)
    tab.close()
    return {"paint": seen["paint"], "title": seen["title"], "done": seen["changed"]}


def _go(tab: Page, slug: str) -> dict[str, float]:
    """Press the page's name in the navigation, in the menu of its section."""
    path = "/" if slug == DEFAULT else f"/{slug}"
    sections = tab.get_by_test_id("stTopNavSection")
    for place in range(sections.count()):
        sections.nth(place).click()
        tab.get_by_test_id("stTopNavPopover").wait_for()
        links = tab.get_by_test_id("stTopNavDropdownLink")
        paths = links.evaluate_all("links => links.map(link => new URL(link.href).pathname)")
        if path in paths:
            tab.evaluate("window.__again()")
            links.nth(paths.index(path)).click()
            seen = settled(tab)
            return {"click": seen["painted"] - seen["began"], "ready": seen["changed"] - seen["began"]}
        tab.keyboard.press("Escape")
    raise LookupError(f"the navigation has no {path}")


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


def _cold_starts(browser: BrowserContext, rounds: int) -> list[float]:
    """Seconds from the command to Home's heading; after the first one the browser knows the scripts."""
    found = []
    port = free_port()
    for _ in range(rounds):
        tab = watched(browser)
        began = time.perf_counter()
        with started(Path("app/Home.py"), port) as url:
            while True:
                try:
                    tab.goto(f"{url}/?lang=en", wait_until="commit")
                    break
                except BrowserError:  # nobody listens yet
                    time.sleep(0.02)
            tab.wait_for_function("window.__seen?.title", timeout=60_000)
            found.append(time.perf_counter() - began)
            tab.close()
    return found


def _print(found: dict[str, dict[str, float]]) -> None:
    if not found:
        return
    print(f"| {' | '.join(HEADINGS)} |")
    print(f"| --- {'| ---: ' * len(COLUMNS)}|")
    for name, one in found.items():
        cells = (f"{one[column]:.0f}" if column in one else "" for column in COLUMNS)
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
