"""The whole way with the real training: one run of the digits, and who has torch."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors import safe_open

from core.runs import client, store
from core.runs.store import Run
from core.vision.recipe import PictureRecipe

pytestmark = pytest.mark.usefixtures("atlas_home")


@pytest.fixture(scope="module", autouse=True)
def _warm(atlas_home: Path) -> None:
    """Importing torch is not what these tests are about."""
    client.ensure_supervisor()
    client.call("core.runs.probe:about", timeout=60)


def _wait(run_id: str, *states: str) -> Run:
    deadline = time.monotonic() + 60
    while (run := store.get(run_id)).state not in states:
        assert time.monotonic() < deadline, run.state
        time.sleep(0.02)
    return run


def test_digits_are_learned_in_the_background() -> None:
    run = _wait(store.submit(PictureRecipe.preset("quick-look", epochs=2, device="cpu")), "finished", "failed")
    assert run.error is None, run.error
    assert run.finished_event is not None
    assert run.finished_event["test_accuracy"] > 0.8
    with safe_open(run.folder.weights_file, "pt") as weights:
        assert list(weights.keys())
    assert run.folder.report_file.exists()
    assert (run.folder.path / "worker.log").read_text() == ""


def test_stop_and_resume_keep_what_was_learned() -> None:
    run_id = store.submit(PictureRecipe.preset("quick-look", epochs=200, device="cpu"))
    deadline = time.monotonic() + 60
    while not any(e["event"] == "epoch" for e in store.get(run_id).folder.read_events()[0]):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    asked = time.monotonic()
    store.stop(run_id)
    stopped = _wait(run_id, "stopped")
    assert time.monotonic() - asked < 2
    assert stopped.resumable
    store.resume(run_id)
    deadline = time.monotonic() + 60
    while not any(e["event"] == "resumed" and e["step"] > 0 for e in store.get(run_id).folder.read_events()[0]):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    store.stop(run_id)
    _wait(run_id, "stopped")


def test_torch_is_where_it_should_be_and_nowhere_else() -> None:
    assert client.call("core.runs.probe:about")["torch"] is True
    assert client.call("core.runs.probe:about", pool="decode")["torch"] is False
    code = "import sys, core.runs.store; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    state = client.ping()
    assert state is not None
    if sys.platform == "linux":
        assert "libtorch" not in Path(f"/proc/{state['pid']}/maps").read_text()


@pytest.mark.skipif(not hasattr(os, "getpriority"), reason="priorities of Unix")
def test_training_gives_way_to_pages() -> None:
    run_id = store.submit(PictureRecipe.preset("quick-look", epochs=200, device="cpu"))
    _wait(run_id, "running")
    deadline = time.monotonic() + 30
    while (pid := store.get(run_id).folder.read_state().get("pid")) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert os.getpriority(os.PRIO_PROCESS, pid) >= 10
    store.stop(run_id)
    _wait(run_id, "stopped")
