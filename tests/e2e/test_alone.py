"""Nothing of the app needs the internet, tried where there is none."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from app.navigation import VIEWS, find_views
from core.runs import client
from tests.e2e.server import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]
APART = ["unshare", "--user", "--map-root-user", "--net"]


@pytest.fixture
def apart(browser, tmp_path, monkeypatch):
    """The command that runs another without a network; `browser` skips where there is no Chromium."""
    if not shutil.which("ip") or subprocess.run([*APART, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system gives us no network of our own")
    monkeypatch.setenv("ATLAS_HOME", str(tmp_path))
    yield APART
    client.shutdown()


def test_every_page_and_a_training_without_a_network(apart):
    done = subprocess.run(
        [*apart, sys.executable, "-m", "tests.e2e.alone"],
        check=False, cwd=ROOT, capture_output=True, text=True, timeout=280, env=os.environ,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["routes"].strip() == ""
    assert found["outside"] == []
    assert set(found["pages"]) == {view.slug for view in find_views(VIEWS)}
    assert found["ready_s"] < 60
