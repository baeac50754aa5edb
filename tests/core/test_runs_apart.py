"""Pages and training in containers of their own: a supervisor that somebody else starts, and restarts."""

import os
import sys
import time

import pytest

from core.errors import UserError
from core.runs import client, store
from core.vision.recipe import PictureRecipe
from tests.processes import process

pytestmark = pytest.mark.usefixtures("apart")


@pytest.fixture
def apart(quiet_home, monkeypatch):
    monkeypatch.setenv("ATLAS_SUPERVISOR", "elsewhere")
    client.shutdown()


def worker():
    """As compose.yaml starts it."""
    return process([sys.executable, "-m", "core.runs.supervisor"], env=os.environ | {"ATLAS_IDLE_EXIT": "inf"})


def finished(run_id: str) -> None:
    deadline = time.monotonic() + 30
    while store.get(run_id).state != "finished":
        assert time.monotonic() < deadline, store.get(run_id)
        time.sleep(0.05)


def test_nobody_is_started_here(monkeypatch):
    monkeypatch.setattr(client, "START_S", 0.3)
    monkeypatch.setattr(client, "_start", lambda: pytest.fail("a second supervisor"))
    with pytest.raises(UserError, match="does not answer"):
        client.wake()


def test_a_worker_elsewhere_trains_what_is_asked_here():
    with worker() as first:
        finished(store.submit(PictureRecipe(epochs=3, batch_size=1)))
        first.kill()
    with worker():  # restarted by whoever looks after it
        finished(store.submit(PictureRecipe(epochs=3, batch_size=1)))
    assert client.ping() is None
