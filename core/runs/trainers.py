"""The supervisor's care for training processes: start the next run, end those that must, take up those that died."""

import os
import shutil
import signal
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from filelock import Timeout

from core import settings
from core.machine import threads_each
from core.runs import index
from core.runs.failures import training_killed, training_too_long
from core.runs.folder import RunFolder
from core.runs.worker import locks_folder, train, worker_lock

GRACE_S = 5.0  # between asking a run to stop and killing it
STUCK_S = 600.0  # a living process that shows no step for so long is taken for hung
MOST_DEATHS = 3  # in a row without a new checkpoint: the first and two retries


@dataclass
class Training:
    """A process that trains: ours, or one that outlived the supervisor which started it (`process` is None)."""

    folder: RunFolder
    process: Any = None
    stop_seen: float | None = None  # monotonic seconds, as all times here: a laptop's sleep does not count
    begun: float = field(default_factory=time.monotonic)
    beat: int = 0
    beat_seen: float = field(default_factory=time.monotonic)

    def alive(self) -> bool:
        if self.process is not None and self.process.is_alive():
            return True
        try:
            with worker_lock(self.folder):
                return False
        except Timeout:
            return True

    def quiet_s(self) -> float:
        """Seconds since the heartbeat was last seen to change."""
        try:
            beat = self.folder.heartbeat_file.stat().st_mtime_ns
        except FileNotFoundError:
            beat = 0
        if beat != self.beat:
            self.beat, self.beat_seen = beat, time.monotonic()
        return time.monotonic() - self.beat_seen

    def kill(self) -> None:
        self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))

    def interrupt(self) -> None:
        self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        pid = self.process.pid if self.process is not None else self.folder.read_state().get("pid")
        if pid is not None and self.alive():  # the lock is held, so the pid is still its holder's
            try:
                os.kill(pid, number)
            except OSError:  # it ended in this very moment; Windows has another name for that
                return


class Trainers:
    """Every training of this home. `look` is called whenever something may have changed, and every second.

    A run that begins alone gets all cores, one beside others its share: two processes of one thread do more than two of
    two. Its number of threads stays as it began, because it decides the last bits of its sums.
    """

    def __init__(self, context: Any, changed: threading.Event) -> None:
        self.context, self.changed = context, changed
        self.trainings: dict[str, Training] = {}
        for left in index.runs_folder().glob(".deleted-*"):
            shutil.rmtree(left, ignore_errors=True)
        for lock in locks_folder().glob("*.lock"):
            if not index.folder_of(lock.stem).path.exists():
                lock.unlink(missing_ok=True)
        index.reconcile()
        for state in index.rows("state IN ('running', 'stopping')"):
            self.trainings[state["id"]] = Training(index.folder_of(state["id"]))

    def busy(self) -> bool:
        return bool(self.trainings) or bool(index.waiting())

    def look(self, start: bool = True) -> None:
        """Settle what has ended, end what must, and, if told so, start what waits."""
        for run_id, training in list(self.trainings.items()):
            if not training.alive():
                _settle(training)  # raises when the disk is full, say: then it is tried again
                del self.trainings[run_id]
            elif _must_end(training):
                training.kill()
            else:
                _keep_to_time(training)
        most = settings.load().trainers
        waiting = index.waiting() if start else []
        # A process that is just ending counts no more: its run has ended.
        together = min(most, len(index.rows("state IN ('running', 'stopping')")) + len(waiting)) if waiting else 0
        for run_id in waiting:
            if len(self.trainings) >= most:
                break
            self._start(run_id, threads_each(together))

    def close(self) -> None:
        """Interrupt all trainings and leave their runs in the queue for the next supervisor."""
        for training in self.trainings.values():
            training.interrupt()
        deadline = time.monotonic() + GRACE_S
        while time.monotonic() < deadline and any(t.alive() for t in self.trainings.values()):
            time.sleep(0.02)
        for training in self.trainings.values():
            training.kill()
            index.change(training.folder.id, {"running"}, state="queued", pid=None)

    def _start(self, run_id: str, threads: int) -> None:
        folder = index.folder_of(run_id)
        state = folder.read_state()
        now = time.time()
        claim = {"state": "running", "claimed": now, "started": state.get("started") or now, "pid": None}
        folder.clear_stop()
        if index.change(run_id, {"queued"}, saved=folder.saved, **claim) is None:
            return  # stopped or deleted in this very moment
        process = self.context.Process(target=train, args=(run_id, threads), name=f"atlas-train-{run_id}")
        process.start()
        self.trainings[run_id] = Training(folder, process)
        threading.Thread(target=self._tell_when_ended, args=(process,), daemon=True).start()

    def _tell_when_ended(self, process: Any) -> None:
        process.join()
        self.changed.set()


def _must_end(training: Training) -> bool:
    now = time.monotonic()
    if training.folder.read_state().get("state") == "stopping":
        training.stop_seen = training.stop_seen or now
        return now - training.stop_seen > GRACE_S
    return training.quiet_s() > STUCK_S


def _keep_to_time(training: Training) -> None:
    """Ask a run to stop that has trained as long as one may; it can be resumed when its turn comes again."""
    minutes = settings.load().minutes
    if time.monotonic() - training.begun < minutes * 60:
        return
    error = training_too_long(minutes).to_json()
    if index.change(training.folder.id, {"running"}, state="stopping", error=error) is not None:
        training.folder.ask_to_stop()


def _settle(training: Training) -> None:
    """Write down the end of a run whose process ended, if it could not do so itself: it was killed."""
    folder = training.folder
    if not folder.recipe_file.exists():
        index.change(folder.id, ())  # it was deleted by hand while it was trained: forget it
        return
    state = folder.read_state()
    if state.get("state") == "stopping":
        index.change(folder.id, {"stopping"}, state="stopped", ended=time.time(), pid=None)
    if state.get("state") != "running":
        return
    events, _ = folder.read_events()
    if events and events[-1]["event"] == "finished" and folder.weights_file.exists():
        index.change(folder.id, {"running"}, state="finished", ended=time.time(), pid=None, finished=events[-1])
        return
    deaths = 1 if folder.saved != state["saved"] else state["deaths"] + 1
    if deaths < MOST_DEATHS:
        index.change(folder.id, {"running"}, state="queued", deaths=deaths, pid=None)
        return
    error = training_killed(deaths).to_json()
    folder.append_event({"event": "failed", "error": error})
    index.change(folder.id, {"running"}, state="interrupted", ended=time.time(), pid=None, error=error, deaths=deaths)
