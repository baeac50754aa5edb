"""Where there is no forkserver, calls are answered and runs are carried out all the same."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.errors import UserError
from core.runs import client, store
from core.vision.recipe import PictureRecipe

SUPERVISOR = Path(__file__).with_name("spawning_supervisor.py")


@pytest.fixture(scope="module")
def spawning(quiet_home):
    paths = os.pathsep.join([str(SUPERVISOR.parents[2]), os.environ["PYTHONPATH"]])
    process = subprocess.Popen([sys.executable, str(SUPERVISOR)], env=os.environ | {"PYTHONPATH": paths})
    deadline = time.monotonic() + 30
    while client.ping() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert client.ping()["pid"] == process.pid
    yield process
    client.shutdown()
    process.wait(20)


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
