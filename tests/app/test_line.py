"""The line to a tab of a browser (`app.serving.line`), with a browser that is a few lines of this test."""

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from app.serving import line as lines
from app.serving.line import Line

GONE = {"type": "websocket.disconnect"}


class Tab:
    """The other end: what it was sent, and what it says next."""

    def __init__(self, name: str) -> None:
        self.path_params = {"name": name}
        self.accepted, self.closed, self.sent = False, 0, []
        self.free = asyncio.Event()  # whether it takes what is sent
        self.free.set()
        self._said: asyncio.Queue = asyncio.Queue()

    async def accept(self):
        self.accepted = True

    async def close(self, code):
        self.closed = code

    async def send_bytes(self, data):
        await self.free.wait()
        self.sent.append(data)

    async def receive(self):
        return await self._said.get()

    def say(self, message):
        self._said.put_nowait(message)


@pytest.fixture
def server():
    """An event loop in a thread of its own, as a server has one."""
    loop = asyncio.new_event_loop()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(loop.run_forever)

        def do(work):
            return asyncio.run_coroutine_threadsafe(work, loop).result(10)

        yield SimpleNamespace(loop=loop, do=do)
        loop.call_soon_threadsafe(loop.stop)
        running.result(10)
    loop.close()


async def opened(line: Line) -> tuple[Tab, asyncio.Task]:
    tab = Tab(line.name)
    task = asyncio.create_task(lines._answer(tab))
    while not tab.accepted:
        await asyncio.sleep(0)
    return tab, task


async def closed(tab: Tab, task: asyncio.Task) -> None:
    tab.say(GONE)
    await task


def test_what_a_run_sends_arrives_and_the_browser_says_when_it_has_drawn(server):
    line = Line()
    tab, task = server.do(opened(line))
    assert line.send(b"chart")
    assert tab.sent == [b"chart"]
    assert not line.drawn.is_set()
    server.loop.call_soon_threadsafe(tab.say, {"type": "websocket.receive", "text": "drawn"})
    assert line.drawn.wait(10)
    assert line.send(b"the next")
    assert not line.drawn.is_set()
    server.do(closed(tab, task))
    assert line.drawn.is_set()  # nobody waits for a browser that has gone
    assert not line.send(b"for nobody")
    assert tab.sent == [b"chart", b"the next"]


def test_without_a_browser_nothing_is_sent():
    assert not Line().send(b"chart")


def test_a_browser_that_takes_nothing_holds_nobody_up(server, monkeypatch):
    monkeypatch.setattr(lines, "SENT_S", 0.01)
    line = Line()
    tab, task = server.do(opened(line))
    server.loop.call_soon_threadsafe(tab.free.clear)
    assert not line.send(b"first")
    assert not line.send(b"second")  # at once: the first is still on its way
    server.loop.call_soon_threadsafe(tab.free.set)
    line._sending.result(10)
    assert line.send(b"third")
    assert tab.sent == [b"first", b"third"]
    server.do(closed(tab, task))


def test_the_tab_that_came_last_has_the_line(server):
    line = Line()
    one, first = server.do(opened(line))
    two, second = server.do(opened(line))
    server.do(closed(one, first))
    assert line.send(b"chart")
    assert (one.sent, two.sent) == ([], [b"chart"])
    server.do(closed(two, second))


@pytest.mark.parametrize("name", ["", "guessed", "../line"])
def test_a_name_that_nobody_was_told_is_refused(server, name):
    tab = Tab(name)
    server.do(lines._answer(tab))
    assert (tab.accepted, tab.closed) == (False, lines.REFUSED)


def test_a_line_ends_with_its_session(server):
    line = Line()
    tab = Tab(line.name)
    del line
    gc.collect()
    server.do(lines._answer(tab))
    assert tab.closed == lines.REFUSED


def test_names_cannot_be_guessed():
    kept = [Line() for _ in range(50)]
    assert len({line.name for line in kept}) == 50
    assert min(len(line.name) for line in kept) >= 20
