"""Full disks, memory that runs out, folders that vanish: the run says why, the store stays readable."""

import errno
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import UserError
from core.runs import client, disk, index, store
from core.runs.failures import training_failed
from core.runs.folder import RunFolder
from core.runs.store import Run
from core.vision.recipe import PictureRecipe
from tests.small_disk import fill, small_disk

SETTINGS = {
    "ATLAS_EXECUTOR": "stand_in_executor:execute",
    "ATLAS_PRELOAD": "numpy",
    "PYTHONPATH": str(Path(__file__).parent),
    "ATLAS_IDLE_EXIT": "60",
}


def use_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home whose runs are carried out by the stand-in."""
    for name, value in {"ATLAS_HOME": str(home), **SETTINGS}.items():
        monkeypatch.setenv(name, value)


def submit(steps: int = 3, step_ms: int = 1, seed: int = 0) -> str:
    return store.submit(PictureRecipe(epochs=steps, batch_size=step_ms, seed=seed))


def wait(run_id: str, *states: str, seconds: float = 30.0) -> Run:
    deadline = time.monotonic() + seconds
    while (run := store.get(run_id)).state not in states:
        assert time.monotonic() < deadline, f"still {run.state} ({run.error})"
        time.sleep(0.02)
    return run


@pytest.mark.usefixtures("quiet_home")
@pytest.mark.parametrize(
    ("seed", "words"), [(670, "smaller batch"), (671, "smaller batch"), (672, "disk is full"), (673, "disk is full")]
)
def test_a_run_that_runs_out_of_something_says_of_what_and_what_to_try(seed: int, words: str) -> None:
    run = wait(submit(seed=seed), "failed")
    assert words in str(run.error)
    wait(submit(), "finished")


def test_every_way_to_run_out_of_memory_is_known() -> None:
    import torch

    gpu = torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
    errors: list[BaseException] = [gpu, MemoryError(), RuntimeError("std::bad_alloc")]
    errors += [RuntimeError("CUDA error: out of memory"), RuntimeError("... CUBLAS_STATUS_ALLOC_FAILED ...")]
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    for error in [*errors, caught.value]:
        assert "smaller batch" in str(training_failed(error)), error
    for error in (RuntimeError("a mistake"), ValueError("out of memory")):
        assert "mistake in this program" in str(training_failed(error))


def test_every_way_to_fill_a_disk_is_known() -> None:
    cryptic = RuntimeError("[enforce fail at inline_container.cc:626] . unexpected pos 1664 vs 1558")
    for error in (OSError(errno.ENOSPC, "x"), OSError("No space left on device (os error 28)"),
                  sqlite3.OperationalError("database or disk is full")):  # fmt: skip
        assert "disk is full" in str(training_failed(error))
    assert "mistake" in str(training_failed(cryptic))  # torch.save says it so; no checkpoint is written by it


def test_half_a_line_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RunFolder(tmp_path)
    folder.append_event({"event": "step", "step": 1})
    whole = folder.metrics_file.read_bytes()
    really = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: really(fd, data[:7]))
    with pytest.raises(OSError, match="space") as caught:
        folder.append_event({"event": "step", "step": 2})
    assert caught.value.errno == errno.ENOSPC
    assert folder.metrics_file.read_bytes() == whole


def test_the_ballast_comes_and_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_HOME", str(tmp_path))
    disk.keep_ballast()
    assert (tmp_path / "ballast").stat().st_size == disk.BALLAST_BYTES
    disk.give_way()
    assert (tmp_path / "ballast").exists()
    free = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free._replace(free=1000))
    with pytest.raises(OSError, match="space"):
        disk.check_room(tmp_path, 0)
    disk.give_way()
    assert not (tmp_path / "ballast").exists()
    disk.keep_ballast()
    assert not (tmp_path / "ballast").exists()


@pytest.fixture
def disk_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home on a disk of 120 MB."""
    with small_disk(tmp_path / "disk", 120) as folder:
        use_home(folder / "home", monkeypatch)
        monkeypatch.setattr(store, "_SPARE_BYTES", 0)
        yield folder
        client.shutdown()


def test_a_full_disk_fails_the_run_and_nothing_else(disk_of_its_own: Path) -> None:
    done = wait(submit(), "finished")
    run_id = submit(steps=500, step_ms=100)
    wait(run_id, "running")
    deadline = time.monotonic() + 20
    while not ((disk_of_its_own / "home" / "ballast").exists() and store.get(run_id).folder.checkpoint_file.exists()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    filler = fill(disk_of_its_own)
    run = wait(run_id, "failed", seconds=20)
    assert "The disk is full. Delete runs" in str(run.error)
    assert {one.id for one in store.list_runs()} == {run_id, done.id}
    assert store.get(done.id).finished_event is not None
    store.rename(done.id, "still here")
    store.delete(done.id)
    assert [one.id for one in store.list_runs()] == [run_id]
    filler.unlink()
    store.resume(run_id)
    wait(run_id, "running")
    store.stop(run_id)
    wait(run_id, "stopped")
    deadline = time.monotonic() + 20
    while not (disk_of_its_own / "home" / "ballast").exists():  # the supervisor puts it back
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_store_can_be_read_without_a_byte_to_spare(disk_of_its_own: Path) -> None:
    done = wait(submit(), "finished")
    client.shutdown()
    (disk_of_its_own / "home" / "ballast").unlink(missing_ok=True)  # whoever fills the disk has taken that room, too
    filler = fill(disk_of_its_own)
    assert [run.id for run in store.list_runs()] == [done.id]
    assert store.get(done.id).finished_event is not None
    filler.unlink()
    store.delete(done.id)
    assert store.list_runs() == []


def test_the_real_training_leaves_the_floor_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.runs import execute

    folder = RunFolder(tmp_path / "run")
    folder.create(PictureRecipe.preset("quick-look", epochs=1, train_limit=320, device="cpu"))
    free = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free._replace(free=disk.FLOOR_BYTES - 1))
    monkeypatch.setattr(execute, "CHECKPOINT_EVERY_S", 0.0)
    with pytest.raises(OSError, match="space") as caught:
        list(execute.execute(folder))
    assert "The disk is full" in str(training_failed(caught.value))
    assert not folder.checkpoint_file.exists()


@pytest.mark.usefixtures("quiet_home")
def test_a_run_whose_folder_is_deleted_by_hand_is_forgotten() -> None:
    run_id = submit(steps=500, step_ms=100)
    wait(run_id, "running")
    deadline = time.monotonic() + 15
    while not store.read_events(store.get(run_id))[0]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    shutil.rmtree(store.get(run_id).folder.path)
    deadline = time.monotonic() + 15
    while index.rows("id = ?", run_id):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    wait(submit(), "finished")


def test_a_home_that_is_deleted_is_begun_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_home(tmp_path / "home", monkeypatch)
    try:
        run_id = submit(steps=500, step_ms=100)
        wait(run_id, "running")
        before: Any = client.ping()
        shutil.rmtree(tmp_path / "home", ignore_errors=True)
        shutil.rmtree(tmp_path / "home", ignore_errors=True)  # what was written meanwhile
        assert store.list_runs() == []
        with pytest.raises(UserError, match="no run named"):
            store.get(run_id)
        wait(submit(), "finished")
        after: Any = client.ping()
        assert after["pid"] != before["pid"]
        deadline = time.monotonic() + 20
        while Path(f"/proc/{before['pid']}").exists() and sys.platform == "linux":
            assert time.monotonic() < deadline, "the supervisor of the home that is gone lives on"
            time.sleep(0.1)
    finally:
        client.shutdown()
