"""What the server writes down of a page that broke, and where it says it can be found."""

import asyncio
import os
import socket

import pytest
from streamlit import config

from app.serving import housekeeping, server, uploads
from core import events


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("ATLAS_HOME", str(tmp_path))


def test_a_broken_page_is_one_line_with_its_place():
    try:
        server._say(1)  # no text
    except TypeError as error:
        server._note_error(error)
    (line,) = events.log_file().read_text(encoding="utf-8").splitlines()
    assert "page-error" in line
    assert "TypeError: sequence item 0: expected str instance, int found" in line
    assert 'at="app/serving/server.py:' in line
    assert "tests/app/test_serving.py:" in line


def test_housekeeping_that_fails_is_noted_and_goes_on(monkeypatch):
    tries = []

    def end_expired_sessions() -> int:
        tries.append(len(tries))
        if len(tries) == 1:
            raise KeyError("a session")
        return len(tries) - 2

    async def until_three_looks() -> None:
        async with server._lifespan(None):
            for _ in range(2000):
                if len(tries) >= 3:
                    return
                await asyncio.sleep(0.005)

    monkeypatch.setattr(housekeeping, "end_expired_sessions", end_expired_sessions)
    before = config.get_option("server.disconnectedSessionTTL")
    try:
        config.set_option("server.disconnectedSessionTTL", 0.02)
        asyncio.run(until_three_looks())
    finally:
        config.set_option("server.disconnectedSessionTTL", before)
    assert len(tries) >= 3
    lines = events.log_file().read_text(encoding="utf-8").splitlines()
    noted = [line for line in lines if "housekeeping-error" in line]
    assert len(noted) == 1
    assert "KeyError: 'a session'" in noted[0]
    assert 'at="app/serving/housekeeping.py:' in noted[0] or "< app/serving/housekeeping.py:" in noted[0]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("client.showErrorDetails", "none"), ("browser.gatherUsageStats", False), ("logger.hideWelcomeMessage", True),
        ("server.enableXsrfProtection", True), ("server.enableCORS", True), ("server.maxUploadSize", 140),
        ("server.headless", True), ("server.enableStaticServing", False), ("server.enableAgentApi", False),
        ("server.fileWatcherType", "none"),
        ("global.developmentMode", False), ("server.corsAllowedOrigins", []),
    ],
)  # fmt: skip
def test_the_settings_of_streamlit_are_those_of_a_server_in_a_school(option, value):
    assert config.get_option(option) == value


def test_only_this_machine_is_told_where_only_it_can_reach():
    before = config.get_option("server.address")
    try:
        config.set_option("server.address", "127.0.0.1")
        assert [address.rpartition(":")[0] for address in server._addresses()] == ["http://localhost"]
    finally:
        config.set_option("server.address", before)


def uploaded(quota, session, chunks, size=None):
    """An upload as the server sees it: its chunks come one by one, and then the statuses of the answers."""
    size = sum(map(len, chunks)) if size is None else size
    scope = {
        "type": "http", "method": "PUT", "path": f"/_stcore/upload_file/{session}/x",
        "headers": [(b"content-length", str(size).encode())],
    }  # fmt: skip
    left, statuses = list(chunks), []

    async def receive():
        await asyncio.sleep(0)
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message):
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def going():
        await quota(scope, receive, send)
        return statuses

    return going()


@pytest.fixture
def quota(monkeypatch):
    """Room for a hundred bytes of all, thirty of one; nothing is kept after it came."""

    async def taking(scope, receive, send):
        while (await receive())["more_body"]:
            pass
        await send({"type": "http.response.start", "status": 204})

    monkeypatch.setattr(uploads, "OF_ALL", 100)
    monkeypatch.setattr(uploads, "OF_ONE", 30)
    monkeypatch.setattr(uploads, "_held", dict)
    return uploads.UploadQuota(taking)


def test_uploads_at_once_are_bounded_for_one_and_for_all(quota):
    async def together(*uploads_):
        return await asyncio.gather(*uploads_)

    one = asyncio.run(together(*(uploaded(quota, "a", [b"x" * 10] * 2) for _ in range(3))))
    assert one == [[204], [413], [413]]
    everybody = asyncio.run(together(*(uploaded(quota, f"s{k}", [b"x" * 10] * 3) for k in range(6))))
    assert sorted(everybody) == sorted([[204]] * everybody.count([204]) + [[413]] * everybody.count([413]))
    assert 1 <= everybody.count([413]) <= 4
    assert (quota.arrived, sum(quota.coming.values())) == (0, 0)


def test_who_announces_much_and_sends_nothing_keeps_nobody_from_uploading(quota):
    async def waiting_and_others():
        silent = [asyncio.create_task(uploaded(quota, f"s{k}", [b"", b"x" * 30], size=30)) for k in range(10)]
        for _ in range(2):
            await asyncio.sleep(0)  # all are begun, and nothing has come
        answer = await uploaded(quota, "other", [b"x" * 20])
        await asyncio.gather(*silent)
        return answer

    assert asyncio.run(waiting_and_others()) == [204]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not say which sockets listen")
def test_small_messages_do_not_wait_for_each_other():
    """As Streamlit makes its listening socket, without naming TCP: asyncio leaves Nagle's algorithm on then."""

    async def option() -> int:
        listening = socket.socket(family=socket.AF_INET)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server.send_at_once()
        came = asyncio.get_running_loop().create_future()
        serving = await asyncio.start_server(lambda _reader, writer: came.set_result(writer), sock=listening)
        _reader, ours = await asyncio.open_connection(*listening.getsockname())
        theirs = await came
        found = theirs.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        for one in (ours, theirs, serving):
            one.close()
            await one.wait_closed()
        return int(found)

    assert asyncio.run(option())
