"""Nothing of the app needs the internet, tried where there is none; and no process of it tries to reach anybody."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from app.navigation import VIEWS, find_views
from tests.e2e.server import ROOT
from tests.e2e.watching import environment, heard

pytestmark = pytest.mark.filterwarnings("default")
APART = ["unshare", "--user", "--map-root-user", "--net"]


@pytest.fixture(scope="module")
def told(browser, tmp_path_factory):
    """What was seen; without a network where the system gives us none of our own, else only listened to."""
    home = tmp_path_factory.mktemp("alone")
    apart = shutil.which("ip") and shutil.which("unshare")
    apart = apart and not subprocess.run([*APART, "true"], check=False, capture_output=True).returncode
    command = [sys.executable, "-m", "tests.e2e.alone", str(home / "watched"), *(["--apart"] if apart else [])]
    done = subprocess.run(
        [*(APART if apart else []), *command], check=False, cwd=ROOT, capture_output=True, text=True, timeout=280,
        env=os.environ | {"ATLAS_HOME": str(home / "home")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1]) | {"apart": bool(apart)}


@pytest.mark.browser
def test_every_page_a_training_and_a_picture_without_a_network(told):
    if not told["apart"]:
        pytest.skip("this system gives us no network of our own")
    assert told["routes"] == ""
    assert set(told["pages"]) == {view.slug for view in find_views(VIEWS)}
    assert told["ready_s"] < 60


@pytest.mark.browser
def test_no_page_asks_and_no_process_calls_anybody_outside(told):
    assert told["asked_outside"] == []
    assert told["called_outside"] == []
    assert told["unheard"] == []  # server, supervisor, warm processes and the trainer were listened to
    assert told["called_inside"] >= 10  # and heard: each call of the server to the supervisor is one


@pytest.mark.browser
def test_a_download_that_is_pressed_is_heard(told):
    if not told["apart"]:
        pytest.skip("this system gives us no network of our own, and nothing is to be fetched")
    assert {call["address"] for call in told["called_when_pressed"]} == {"www.cs.toronto.edu"}


CALLS = {
    "connects": "s.socket().connect(('192.0.2.1', 9))",
    "sends": "s.socket(type=s.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9))",
    "asks for a name": "s.getaddrinfo('school.invalid', 80)",
    "asks the old way": "s.gethostbyname('school.invalid')",
}
CALLING = """
import os, socket as s, sys

def stop(event, values):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        raise OSError(event)

sys.addaudithook(stop)
if {forks} and (child := os.fork()):
    os.waitpid(child, 0)
else:
    try: {call}
    except OSError: pass
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no fork on Windows")
@pytest.mark.parametrize("how", ["at once", "in a child by fork", "in a child by start"])
@pytest.mark.parametrize("call", CALLS)
def test_whoever_calls_outside_is_heard(call, how, tmp_path):
    """Or the test above would prove nothing. Nothing leaves: what listens after us forbids it."""
    code = CALLING.format(call=CALLS[call], forks=how == "in a child by fork")
    if how == "in a child by start":
        code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {code!r}])"
    file = tmp_path / "watched"
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | environment(file))
    found = heard(file)
    assert len(found.outside) == 1
    assert len(found.born) == (1 if how == "at once" else 2)
    assert found.inside == 0
