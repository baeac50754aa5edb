"""Browsers that are gone: what the server held for them it gives back by itself."""

import time
from contextlib import ExitStack

from tests.e2e.raw import cookies, server_process, session, upload
from tests.e2e.server import running_app

MIB = 2**20


def test_a_class_that_has_left_leaves_nothing_behind(atlas_home, monkeypatch):
    """Five browsers with 40 MiB of pictures each; nobody comes after them, whose leaving would clean up."""
    monkeypatch.setenv("STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL", "8")
    with running_app() as url:
        process = server_process(url)
        with session(url, cookies(url)):
            time.sleep(3)  # what the first visit imports is there
        before = process.memory_info().rss
        with ExitStack() as browsers:
            for _ in range(5):
                jar = cookies(url)
                assert upload(url, jar, browsers.enter_context(session(url, jar)), bytes(40 * MIB)) == 204
            held = process.memory_info().rss - before
            time.sleep(10)  # longer than one who has left is remembered: they are here
            still_held = process.memory_info().rss - before
        in_case = process.memory_info().rss - before
        time.sleep(14)
        left = process.memory_info().rss - before
    figures = [round(value / MIB) for value in (held, still_held, in_case, left)]
    print("MiB held, still held, held in case they come back, left:", figures)
    assert min(held, still_held, in_case) > 190 * MIB
    assert left < 40 * MIB
