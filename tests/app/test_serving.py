"""What the server writes down of a page that broke, and where it says it can be found."""

import asyncio
import os
import socket

import pytest
from streamlit import config

from app.serving import server
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
