"""What the server says and writes down: nothing in it opens a door or tells of a person more than a chosen name."""

import re
import time

import pytest

from core import people
from core.people import Person
from core.runs import client, store
from core.vision.recipe import PictureRecipe
from tests.e2e.raw import ask, cookies, session, upload
from tests.e2e.server import ROOT, running_app

pytestmark = pytest.mark.filterwarnings("default")


def test_no_log_tells_a_session_a_cookie_an_address_or_the_secret(tmp_path, monkeypatch):
    home = tmp_path / "home"
    monkeypatch.setenv("ATLAS_HOME", str(home))
    monkeypatch.delenv("ATLAS_TEACHER_SECRET", raising=False)
    try:
        with (tmp_path / "console").open("wb") as console, running_app(output=console) as url:
            jar = cookies(url)
            ann = Person(next(owner for value in jar.values() if (owner := people.owner_of(value))))
            people.rename(ann, "Ann Lee")
            with session(url, jar, "lang=en") as mine, session(url, jar) as other:
                assert upload(url, jar, mine, b"x" * 1000) == 204
                assert upload(url, jar, "no-session", b"x") == 400
                assert ask(url, "/", Host="evil.example")[0] == 403
                assert ask(url, "/", Origin="http://evil.example")[0] == 403
                run_id = store.submit(PictureRecipe.preset("quick-look", device="cpu", epochs=1), ann.id)
                deadline = time.monotonic() + 90
                while store.get(run_id).active:
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
    finally:
        client.shutdown()
    said = (tmp_path / "console").read_text()
    told = (home / "logs" / "atlas.log").read_text()
    (secret,) = re.findall("The teacher signs in with (\\S+)", said)
    assert secret not in told
    for event in ("server-started", "refused why=foreign-host", "run-queued", "run-finished", "server-stopped"):
        assert event in told
    assert 'by="Ann Lee"' in told
    logs = {file.name: file.read_text(errors="replace") for file in home.rglob("*log*") if file.is_file()}
    assert {"atlas.log", "log.txt", "worker.log"} <= logs.keys()
    for name, text in {"console": said, **logs}.items():
        for known in (mine, other, ann.id, "127.0.0.1", *jar.values()):
            assert known not in text, (name, known)
    kept = [file for file in home.rglob("*") if file.is_file() and "people" not in file.parts]
    assert kept
    for file in kept:
        text = file.read_bytes()
        assert not any(known.encode() in text for known in (mine, other, secret, *jar.values())), file


def test_no_page_asks_for_the_id_of_its_session():
    """What is not known cannot be shown; the quota of uploads reads it from their address and keeps it in memory."""
    for part in ("app", "core"):
        for file in (ROOT / part).rglob("*.py"):
            assert "session_id" not in file.read_text(encoding="utf-8"), file
