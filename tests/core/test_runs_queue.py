"""The life of runs: queued, trained, stopped, killed, resumed, deleted. A stand-in does the training."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core import settings
from core.errors import UserError
from core.people import Person
from core.runs import client, index, store
from core.runs.folder import RunFolder
from core.runs.store import Run
from core.runs.trainers import Training, _keep_to_time
from core.settings import Settings
from core.vision.recipe import PictureRecipe

pytestmark = pytest.mark.usefixtures("quiet_home")
TEACHER = Person("somebody", teacher=True)
unix = pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")


def submit(steps: int = 3, step_ms: int = 1, seed: int = 0, owner: str = "") -> str:
    return store.submit(PictureRecipe(epochs=steps, batch_size=step_ms, seed=seed), owner)


def wait(run_id: str, *states: str, seconds: float = 15.0) -> Run:
    deadline = time.monotonic() + seconds
    while (run := store.get(run_id)).state not in states:
        assert time.monotonic() < deadline, f"still {run.state} ({run.error})"
        time.sleep(0.01)
    return run


def wait_for_step(run_id: str, step: int = 1) -> dict[str, Any]:
    deadline = time.monotonic() + 15
    while True:
        steps = [e for e in store.get(run_id).folder.read_events()[0] if e["event"] == "step" and e["step"] >= step]
        if steps:
            return steps[-1]
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def _empty_queue() -> Iterator[None]:
    """What a failed test leaves running must not hold up the next."""
    yield
    for run in store.list_runs():
        if run.active:
            store.stop(run.id, TEACHER)
            wait(run.id, "stopped", "finished", "failed", "interrupted")


def test_a_run_is_trained_to_its_end() -> None:
    run = wait(submit(), "finished")
    events, offset = store.read_events(run)
    assert [e["event"] for e in events] == ["started", "step", "step", "step", "finished"]
    assert run.finished_event == {"event": "finished", "test_accuracy": 1.0}
    assert run.started is not None
    assert run.ended is not None
    assert run.created <= run.started <= run.ended
    assert store.read_events(run, offset) == ([], offset)
    assert not run.active
    assert not run.resumable
    assert run.name == "small-cnn · digits"


def test_it_starts_at_once() -> None:
    wait(submit(), "finished")
    asked = time.time()
    run = wait(submit(), "finished")
    assert run.started is not None
    assert run.started - asked < 1.0  # about 0.02 s on an idle machine


def test_stop_takes_effect_at_the_next_step_and_resume_goes_on() -> None:
    run_id = submit(steps=400, step_ms=10)
    wait_for_step(run_id, 3)
    asked = time.monotonic()
    store.stop(run_id)
    run = wait(run_id, "stopped")
    assert time.monotonic() - asked < 1.0
    assert run.resumable
    at = int(run.folder.checkpoint_file.read_text())
    store.resume(run_id)
    wait_for_step(run_id, at + 1)
    assert {"event": "resumed", "step": at} in run.folder.read_events()[0]
    store.stop(run_id)
    wait(run_id, "stopped")


def test_a_run_that_does_not_listen_is_killed_after_the_grace_period() -> None:
    run_id = submit(steps=400, step_ms=100, seed=669)
    wait_for_step(run_id)
    store.stop(run_id)
    assert wait(run_id, "stopping", "stopped").state == "stopping"
    asked = time.monotonic()
    wait(run_id, "stopped")
    assert 3 < time.monotonic() - asked < 9


def test_owners_take_turns_and_queued_runs_know_their_place() -> None:
    first = submit(steps=100, step_ms=10, owner="ann")
    wait(first, "running")
    waiting = [submit(owner="ann"), submit(owner="ann"), submit(owner="bo")]
    assert [store.get(i).queue_position for i in waiting] == [2, 3, 1]
    assert store.get(first).queue_position is None
    store.stop(first, Person("ann"))
    runs = [wait(i, "finished") for i in waiting]
    assert sorted(waiting, key=lambda i: store.get(i).started or 0) == [waiting[2], waiting[0], waiting[1]]
    assert [r.id for r in store.list_runs()][:3] == [r.id for r in reversed(runs)]


def test_as_many_train_at_once_as_the_teacher_says() -> None:
    settings.save(Settings(trainers=2), TEACHER)
    try:
        runs = [submit(steps=400, step_ms=10, owner=owner) for owner in ("ann", "bo", "ann")]
        wait(runs[0], "running")
        wait(runs[1], "running")
        assert store.get(runs[2]).queue_position == 1
    finally:
        settings.save(Settings(), TEACHER)


def test_a_run_trains_no_longer_than_it_may() -> None:
    run_id = submit(steps=400, step_ms=10)
    wait_for_step(run_id)
    folder = store.get(run_id).folder
    training = Training(folder)
    _keep_to_time(training)
    assert store.get(run_id).state == "running"
    training.begun -= Settings().minutes * 60
    _keep_to_time(training)
    run = wait(run_id, "stopped")
    assert run.error is not None
    assert "240 minutes" in str(run.error)
    assert run.resumable
    store.resume(run_id)
    assert store.get(run_id).error is None


def test_a_queued_run_stops_at_once_and_can_be_started_later() -> None:
    first = submit(steps=400, step_ms=10)
    wait(first, "running")
    second = submit()
    store.stop(second)
    assert store.get(second).state == "stopped"
    store.stop(first)
    wait(first, "stopped")
    store.resume(second)
    wait(second, "finished")


def test_one_owner_cannot_flood_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "load", lambda: Settings(queued=2))
    first = submit(steps=400, step_ms=10, owner="ann")
    wait(first, "running")
    submit(owner="ann")
    submit(owner="ann")
    with pytest.raises(UserError, match="2 runs waiting"):
        submit(owner="ann")
    submit(owner="bo")


def test_an_error_of_the_person_is_kept_with_its_values() -> None:
    run = wait(submit(seed=666), "failed")
    assert run.error is not None
    assert run.error.message == "The picture {name} cannot be read."
    assert run.error.values == {"name": "a.png"}
    assert run.folder.read_events()[0][-1] == {"event": "failed", "error": run.error.to_json()}


def test_a_mistake_of_ours_is_in_the_log_and_not_in_the_sentence() -> None:
    run = wait(submit(seed=667), "failed")
    assert "secret" not in str(run.error)
    assert "a secret of ours" in (run.folder.path / "worker.log").read_text()
    assert not run.resumable
    with pytest.raises(UserError, match="no checkpoint"):
        store.resume(run.id)


@unix
def test_a_killed_worker_is_followed_by_one_that_goes_on() -> None:
    run_id = submit(steps=60, step_ms=10)
    step = wait_for_step(run_id, 5)
    os.kill(step["pid"], signal.SIGKILL)
    run = wait(run_id, "finished")
    events = run.folder.read_events()[0]
    assert len({e["pid"] for e in events if e["event"] == "step"}) == 2
    assert next(e["step"] for e in events if e["event"] == "resumed") >= 4  # saved after it is told


@unix
def test_a_run_whose_process_is_always_killed_is_given_up_with_a_reason() -> None:
    run = wait(submit(seed=668), "interrupted")
    assert "ended 3 times" in str(run.error)
    assert [e["event"] for e in run.folder.read_events()[0]].count("started") == 3
    assert run.resumable
    store.resume(run.id)
    wait(run.id, "interrupted")


@unix
def test_training_outlives_a_killed_supervisor_and_is_taken_over() -> None:
    run_id = submit(steps=150, step_ms=10)
    pid = wait_for_step(run_id, 3)["pid"]
    state = client.ping()
    assert state is not None
    os.kill(state["pid"], signal.SIGKILL)
    step = wait_for_step(run_id, 30)
    assert step["pid"] == pid
    client.ensure_supervisor()
    new = client.ping()
    assert new is not None
    assert new["pid"] != state["pid"]
    run = wait(run_id, "finished")
    assert {e["pid"] for e in run.folder.read_events()[0] if e["event"] == "step"} == {pid}


@unix
def test_an_adopted_run_that_dies_is_resumed() -> None:
    run_id = submit(steps=200, step_ms=10)
    pid = wait_for_step(run_id, 3)["pid"]
    state = client.ping()
    assert state is not None
    os.kill(state["pid"], signal.SIGKILL)
    client.ensure_supervisor()
    time.sleep(0.2)
    os.kill(pid, signal.SIGKILL)
    run = wait(run_id, "finished")
    assert len({e["pid"] for e in run.folder.read_events()[0] if e["event"] == "step"}) == 2


def test_training_goes_on_after_the_supervisor_was_told_to_end() -> None:
    run_id = submit(steps=150, step_ms=10)
    wait_for_step(run_id, 3)
    client.shutdown()
    assert store.get(run_id).state == "queued"
    client.wake()
    run = wait(run_id, "finished")
    assert [e["event"] for e in run.folder.read_events()[0]].count("resumed") == 1


@pytest.mark.parametrize("damage", [b"", b"not a database at all, but long enough to look at" * 100, None])
def test_the_index_is_built_again_from_the_folders(quiet_home: Path, damage: bytes | None) -> None:
    run_id = wait(submit(), "finished").id
    before = store.list_runs()
    for end in ("-wal", "-shm"):
        (quiet_home / f"runs.sqlite{end}").unlink(missing_ok=True)
    if damage is None:
        (quiet_home / "runs.sqlite").unlink()
    else:
        (quiet_home / "runs.sqlite").write_bytes(damage)
    after = store.list_runs()
    assert [r.id for r in after] == [r.id for r in before]
    assert store.get(run_id).finished_event == {"event": "finished", "test_accuracy": 1.0}
    wait(submit(), "finished")


def test_a_run_that_is_running_is_not_deleted() -> None:
    run_id = submit(steps=400, step_ms=10)
    wait_for_step(run_id)
    with pytest.raises(UserError, match="Stop it first"):
        store.delete(run_id)
    store.stop(run_id)
    folder = wait(run_id, "stopped").folder
    store.delete(run_id)
    assert not folder.path.exists()
    assert run_id not in [r.id for r in store.list_runs()]
    with pytest.raises(UserError, match="no run named"):
        store.get(run_id)


def test_rename_is_bounded() -> None:
    run_id = wait(submit(), "finished").id
    store.rename(run_id, "  my \n first  ")
    assert store.get(run_id).name == "my first"
    for name in ("", "   ", "x" * 81):
        with pytest.raises(UserError, match="between 1 and 80"):
            store.rename(run_id, name)


@pytest.mark.parametrize(
    "name", ["", "aaaaaaaaaa", "../../etc", "a/../../bb", "aaaaaaaaa\n", "AAAAAAAAAA", ".", "x" * 500, "a' OR 1"]
)
@pytest.mark.parametrize("what", [store.get, store.stop, store.resume, store.delete, lambda i: store.rename(i, "x")])
def test_what_is_no_run_is_said_to_be_none(what: Any, name: str) -> None:
    with pytest.raises(UserError, match="There is no run named"):
        what(name)


def test_a_resumed_run_that_forgets_events_is_read_anew() -> None:
    run = wait(submit(), "finished")
    events, offset = store.read_events(run)
    run.folder.truncate_events(offset // 2)
    assert not store.continues(run, offset)
    again, _ = store.read_events(run, offset)
    assert again == events[: len(again)]


def test_folders_put_there_by_hand_are_found(quiet_home: Path) -> None:
    run = wait(submit(), "finished")
    copy = run.folder.path.with_name("abcdefghij")
    shutil.copytree(run.folder.path, copy)
    (copy / "state.json").unlink()
    index.reconcile()
    assert store.get("abcdefghij").state == "finished"
    store.delete("abcdefghij")


def test_asking_whether_a_worker_lives_brings_no_deleted_run_back(quiet_home: Path) -> None:
    gone = RunFolder(quiet_home / "runs" / "gonegonego")
    assert not Training(gone).alive()
    assert not gone.path.exists()


def test_a_folder_taken_away_by_hand_is_forgotten() -> None:
    run = wait(submit(), "finished")
    shutil.rmtree(run.folder.path)
    with pytest.raises(UserError, match="no run named"):
        store.delete(run.id)
    assert run.id not in [r.id for r in store.list_runs()]


def test_a_run_of_a_model_that_is_gone_spoils_no_list() -> None:
    run = wait(submit(), "finished")
    text = run.folder.recipe_file.read_text().replace("small-cnn", "model-of-another-version")
    run.folder.recipe_file.write_text(text)
    index.reconcile()
    assert run.id not in [r.id for r in store.list_runs()]
    with pytest.raises(UserError, match="must be one of"):
        store.get(run.id)
    store.delete(run.id)
