"""The server against what is no honest browser: foreign names and origins, forged cookies, floods."""

import subprocess
import sys
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidHandshake
from websockets.sync.client import connect

from app.serving import guard
from core import people
from tests.e2e.raw import ask, cookies, health, server_process, session, upload
from tests.e2e.server import ROOT
from tests.e2e.visitor import Visitor, beside

pytestmark = pytest.mark.filterwarnings("default")
MIB = 2**20
STREAM = "/_stcore/stream"


def handshake(url: str, **options):
    return connect(url.replace("http", "ws", 1) + STREAM, open_timeout=20, **options)


def test_every_answer_keeps_the_page_to_itself(app_url):
    status, headers, _body = ask(app_url, "/train")
    assert status == 200
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in policy["script-src"]
    assert policy["frame-ancestors"] == "'self'"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    for path in ("/", "/_stcore/health", "/favicon.png", "/media/none.html"):
        assert ask(app_url, path)[1]["x-content-type-options"] == "nosniff"
    assert "sandbox" in ask(app_url, "/media/none.html")[1]["content-security-policy"]


def test_a_browser_gets_an_owner_once(app_url):
    _status, headers, _body = ask(app_url, "/runs")
    (cookie,) = [one for one in headers.get_all("Set-Cookie") if one.startswith("atlas_owner_")]
    pair, *attributes = [part.strip() for part in cookie.split(";")]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(attributes)
    assert people.owner_of(pair.partition("=")[2])
    assert ask(app_url, "/runs", Cookie=pair)[1]["Set-Cookie"] is None
    assert ask(app_url, "/runs", Cookie=pair[:-1] + "z")[1]["Set-Cookie"].startswith("atlas_owner_")
    assert ask(app_url, "/favicon.png")[1]["Set-Cookie"] is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:{port}", "localhost.evil.example", "127.0.0.1.evil.example",
        "localhost@evil.example", "a/b", "[", "", "127.0.0.1:x",
    ],
)  # fmt: skip
def test_a_name_that_is_not_ours_is_refused(app_url, host):
    assert ask(app_url, "/", Host=host.format(port=urlsplit(app_url).port))[0] in (400, 403)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:{port}", "127.0.0.1", "192.168.7.7:8501", "[::1]:8501"])
def test_our_names_and_any_address_are_served(app_url, host):
    assert ask(app_url, "/healthz", Host=host.format(port=urlsplit(app_url).port))[0] == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://localhost"])
def test_a_foreign_origin_is_refused(app_url, origin):
    assert ask(app_url, "/_stcore/host-config", Origin=origin)[0] == 403
    with pytest.raises(InvalidHandshake, match="403"):
        handshake(app_url, origin=origin)


def test_foreign_handshakes_hold_nobody_up(app_url):
    for _ in range(10):
        with pytest.raises(InvalidHandshake):
            handshake(app_url, origin="http://evil.example")
    begun = time.monotonic()
    assert ask(app_url, "/_stcore/health")[2] == b"ok"
    assert time.monotonic() - begun < 1


def test_sockets_of_one_address_are_bounded(app_url):
    with ExitStack() as stack:
        for _ in range(guard.SOCKETS):
            stack.enter_context(handshake(app_url, origin=app_url))
        with pytest.raises(InvalidHandshake):
            handshake(app_url, origin=app_url)
        assert ask(app_url, "/healthz")[0] == 200
    deadline = time.monotonic() + 20
    while True:  # those that left have made place
        try:
            with handshake(app_url, origin=app_url):
                break
        except InvalidHandshake:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_uploads_are_bounded(app_url):
    """Twenty files of 50 MB in two sessions of one browser; before the quota the server grew by 1,050 MB."""
    jar, data = cookies(app_url), bytes(50 * MIB)
    with session(app_url, jar) as first, session(app_url, jar) as second:
        process = server_process(app_url)
        before = process.memory_info().rss
        answers = [upload(app_url, jar, (first, second)[k % 2], data) for k in range(20)]
        grown = process.memory_info().rss - before
        assert answers[:2] == [204, 204]
        assert set(answers[3:]) == {413}
        assert grown < 200 * MIB
        print(f"20 x 50 MB: {answers.count(204)} taken, the server grew by {grown / MIB:.0f} MiB")
    other = cookies(app_url)
    with session(app_url, other) as third:
        assert upload(app_url, other, third, bytes(MIB)) == 204


def test_an_upload_says_how_long_it_is_and_whose(app_url):
    jar = cookies(app_url)
    with session(app_url, jar) as mine:
        path = f"/_stcore/upload_file/{mine}/x"
        assert ask(app_url, path, "PUT", Transfer_Encoding="chunked")[0] == 411
        assert ask(app_url, path, "PUT", b"x" * 10)[0] == 403  # without the token against forged requests
        assert upload(app_url, jar, "no-session", b"x") == 400


@pytest.mark.parametrize(("headers", "refused"), [({}, False), ({"X-Forwarded-For": "10.0.0.9"}, True)])
def test_a_link_looks_into_no_folder_of_the_server_for_others(app_url, headers, refused):
    async def visit() -> bytes:
        async with Visitor(app_url, "train", "lang=en&dataset=folder:/etc", headers) as visitor:
            await visitor.load()
            return visitor.seen

    assert (b"Folders of the server are for the teacher" in beside(visit())) is refused


def test_it_is_well(app_url):
    assert health(app_url) == (200, {"status": "ok"})


def test_a_short_secret_stops_the_start(monkeypatch, atlas_home):
    monkeypatch.setenv("ATLAS_TEACHER_SECRET", "1234567")
    done = subprocess.run(
        [sys.executable, "-m", "streamlit", "run", "app/Home.py", "--server.port", "0"],
        check=False, cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode != 0
    assert "ATLAS_TEACHER_SECRET must have at least 8 characters" in done.stderr + done.stdout
