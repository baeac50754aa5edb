"""Where there is no forkserver, calls are answered and runs are carried out all the same."""

import sys
import time
from pathlib import Path

import pytest

from core.errors import UserError
from core.runs import client, store
from core.vision.recipe import PictureRecipe
from tests.processes import process

SUPERVISOR = Path(__file__).with_name("spawning_supervisor.py")


@pytest.fixture(scope="module")
def spawning(quiet_home):
    with process([sys.executable, str(SUPERVISOR)]) as supervisor:
        deadline = time.monotonic() + 30
        while client.ping() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert client.ping()["pid"] == supervisor.pid
        yield supervisor
        client.shutdown()


@pytest.mark.parametrize("pool", ["compute", "decode"])
def test_a_call_is_answered(spawning, pool):
    assert client.call("core.runs.probe:echo", pool=pool, value=[1, 2]) == [1, 2]


def test_a_process_that_dies_is_replaced(spawning):
    with pytest.raises(UserError):
        client.call("core.runs.probe:die")
    assert client.call("core.runs.probe:echo", value=3) == 3


def test_a_run_is_carried_out(spawning):
    run_id = store.submit(PictureRecipe(epochs=1), owner="somebody")
    deadline = time.monotonic() + 60
    while store.get(run_id).active and time.monotonic() < deadline:
        time.sleep(0.1)
    assert store.get(run_id).state == "finished"
    assert client.ping()["pid"] == spawning.pid
