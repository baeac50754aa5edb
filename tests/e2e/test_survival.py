"""kill -9 of the trainer, of the server, of everything; and memory that runs out under the real training."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.errors import UserError
from core.runs import client, store
from core.runs.store import Run
from core.vision.recipe import PictureRecipe
from tests.bench import kills
from tests.bench.load import listening_on
from tests.e2e.server import running_app
from tests.e2e.visitor import Visitor, beside
from tests.small_disk import fill, small_disk

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="watches files and processes as Linux does")
LONG = {"model": "resnet20", "device": "cpu", "epochs": 500}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home in which checkpoints are written several times a second."""
    monkeypatch.setenv("ATLAS_HOME", str(tmp_path))
    for name, value in kills.SETTINGS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ATLAS_CHECKPOINT_EVERY", "0.5")
    yield tmp_path
    with contextlib.suppress(Exception):
        client.shutdown()


def test_ten_kills_leave_no_trace() -> None:
    """``python -m tests.bench.kills`` does it two hundred times."""
    found = kills.measured(10)
    assert found["wrong"] == []
    assert found["kills"] >= 10
    assert found["inside_a_checkpoint"] >= 5
    assert found["anywhere"] >= 5
    assert found["of_everything"] >= 1
    assert found["finished"] >= 1
    assert found["silent_s_most"] <= kills.LONGEST_S


def last_step(run_id: str) -> int:
    steps = [event["step"] for event in store.get(run_id).folder.read_events()[0] if event["event"] == "step"]
    return steps[-1] if steps else 0


def wait_for(true: Any, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def trainer(run_id: str) -> int | None:
    pid = store.get(run_id).folder.read_state().get("pid")
    return int(pid) if pid else None


def shown(url: str, page: str, query: str) -> bytes:
    async def visit() -> bytes:
        async with Visitor(url, page, query) as visitor:
            await visitor.load()
            assert visitor.failed == 0
            return visitor.seen

    return beside(visit())


def kill_server(url: str) -> None:
    server = listening_on(int(url.rsplit(":", 1)[1]))
    server.kill()
    with contextlib.suppress(psutil.TimeoutExpired):
        server.wait(0)


def test_training_goes_on_without_its_server_and_a_new_one_shows_it(home: Path) -> None:
    with running_app() as url:
        shown(url, "", "")  # the first page starts the supervisor, so that it is the server's child
        assert client.ping() is not None
        run_id = store.submit(PictureRecipe.preset("quick-look", **LONG))
        wait_for(lambda: last_step(run_id) >= 3)
        pid, step = trainer(run_id), last_step(run_id)
        kill_server(url)
    wait_for(lambda: last_step(run_id) > step + 3)
    assert trainer(run_id) == pid
    with running_app() as url:
        assert b"Training" in shown(url, "train", f"run={run_id}")
        assert b"small-cnn" in shown(url, "runs", "") or b"resnet20" in shown(url, "runs", "")
    store.stop(run_id)


def test_after_a_power_cut_the_pages_open_and_the_run_goes_on(home: Path) -> None:
    with running_app() as url:
        shown(url, "", "")
        run_id = store.submit(PictureRecipe.preset("quick-look", **LONG))
        run = store.get(run_id)
        wait_for(run.folder.checkpoint_file.exists)
        pid = trainer(run_id)
        kill_server(url)
        kills.cut_the_power()
    assert client.ping() is None
    saved = last_step(run_id)
    with running_app() as url:
        assert b"resnet20" in shown(url, "runs", "")  # whoever looks at the runs wakes those who train them
        wait_for(lambda: trainer(run_id) != pid, kills.LONGEST_S)  # it is no longer said to be running
        wait_for(lambda: last_step(run_id) > saved, 120)  # torch is imported first
        assert any(event["event"] == "resumed" for event in run.folder.read_events()[0])
        assert b"Training" in shown(url, "train", f"run={run_id}")
    store.stop(run_id)


def ended(run_id: str) -> Run:
    wait_for(lambda: not store.get(run_id).active, 90)
    return store.get(run_id)


def test_memory_that_runs_out_is_told(home: Path) -> None:
    run_id = store.submit(PictureRecipe.preset("quick-look", **LONG | {"batch_size": 1024}))
    deadline = time.monotonic() + 60
    while (pid := trainer(run_id)) is None and time.monotonic() < deadline:
        time.sleep(0.001)  # it must be caught before it has taken all that it will ever need
    process = psutil.Process(pid)
    process.suspend()
    process.rlimit(psutil.RLIMIT_AS, (process.memory_info().vms + 64 * 2**20, psutil.RLIM_INFINITY))
    process.resume()
    run = ended(run_id)
    assert run.state == "failed", run.error
    assert "more memory than there is" in str(run.error)
    assert "smaller batch" in str(run.error)


def test_a_full_disk_fails_the_run_and_the_pages_go_on(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "disk", 160) as disk:
        monkeypatch.setenv("ATLAS_HOME", str(disk / "home"))
        with monkeypatch.context() as roomy, running_app() as url:
            roomy.setattr(store, "_SPARE_BYTES", 0)
            shown(url, "", "")
            done = ended(store.submit(PictureRecipe.preset("quick-look", device="cpu", epochs=1)))
            run_id = store.submit(PictureRecipe.preset("quick-look", **LONG))
            wait_for((disk / "home" / "ballast").exists)
            wait_for(store.get(run_id).folder.checkpoint_file.exists)
            filler = fill(disk)
            run = ended(run_id)
            assert run.state == "failed"
            assert "The disk is full. Delete runs" in str(run.error)
            assert b"The disk is full. Delete runs" in shown(url, "train", f"run={run_id}")
            assert done.name.encode() in shown(url, "runs", "")
            for page in ("", "concepts", "article", "cross-entropy", "gradient-steps", "classify", "teacher"):
                assert shown(url, page, "")
            roomy.undo()
            with pytest.raises(UserError, match="The disk is nearly full"):
                store.submit(PictureRecipe.preset("quick-look", **LONG))
            step = last_step(run_id)
            filler.unlink()
            store.resume(run_id)
            wait_for(lambda: last_step(run_id) > step)
            store.stop(run_id)
        client.shutdown()


def test_a_loss_that_is_no_number_is_told(home: Path) -> None:
    run = ended(store.submit(PictureRecipe.preset("quick-look", device="cpu", optimizer="sgd", learning_rate=100.0)))
    assert run.state == "failed"
    assert "learning rate" in str(run.error)


def test_a_data_set_that_is_deleted_meanwhile_is_told_when_it_is_needed_again(home: Path) -> None:
    from PIL import Image

    folder = home / "pictures"
    for name in ("red", "blue"):
        (folder / name).mkdir(parents=True)
        for number in range(20):
            Image.new("RGB", (16, 16), name).save(folder / name / f"{number}.png")
    recipe = PictureRecipe.preset("quick-look", **LONG | {"dataset": f"folder:{folder}", "image_size": 16})
    run_id = store.submit(recipe)
    wait_for(store.get(run_id).folder.checkpoint_file.exists)
    for file in sorted(folder.rglob("*"), reverse=True):
        file.unlink() if file.is_file() else file.rmdir()
    folder.rmdir()
    step = last_step(run_id)
    wait_for(lambda: last_step(run_id) > step)  # its pictures are in memory
    os.kill(trainer(run_id) or 0, 9)
    run = ended(run_id)
    assert run.state == "failed"
    assert f"There is no folder {folder}" in str(run.error)
    assert store.get(run_id).folder.checkpoint_file.exists()  # put the folder back and resume
