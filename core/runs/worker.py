"""Inside a training process: carry out one run, show that it is alive, and write down how it ended.

It needs nobody: when the supervisor dies it trains on, and the next supervisor finds it by the lock it holds.
"""

import importlib
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

from filelock import BaseFileLock, FileLock, Timeout

from core.runs import index
from core.runs.disk import give_way
from core.runs.endpoint import supervisor_folder
from core.runs.failures import training_failed
from core.runs.folder import RunFolder

NICENESS = 10  # pages stay quick beside a training: 38 ms instead of 70 for the median request
BEAT_EVERY_S = 1.0
LOOK_EVERY_S = 0.05  # for the wish to stop: a small net takes a step in a millisecond
EXECUTOR = "core.runs.execute:execute"

Execute = Callable[[RunFolder, Callable[[], bool]], Iterator[dict[str, Any]]]


def worker_lock(folder: RunFolder) -> BaseFileLock:
    """Held by the one process that trains in a folder; the system frees it when the process dies, however it dies.

    It lies outside the run's folder: asking for a lock makes the file and its folder, and would bring a run back
    that was deleted in this very moment.
    """
    return FileLock(locks_folder() / f"{folder.id}.lock", timeout=0)


def locks_folder() -> Path:
    folder = supervisor_folder() / "locks"
    folder.mkdir(exist_ok=True)
    return folder


def train(run_id: str, threads: int = 1) -> None:
    """The main function of a training process, which computes with so many threads."""
    folder = index.folder_of(run_id)
    lock = worker_lock(folder)
    try:
        lock.acquire()
    except Timeout:
        return  # a process that outlived its supervisor is still at it
    with lock:
        _log_to(folder.path / "worker.log")
        if hasattr(os, "nice"):
            os.nice(NICENESS)
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(threads)
        index.change(run_id, {"running", "stopping"}, pid=os.getpid())
        Sitting(folder).run()


class Sitting:
    """One go at a run, from its beginning or its checkpoint to its end or an interruption."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.interrupted = threading.Event()  # the supervisor ends; the next one resumes the run
        self.stepping = threading.Event()
        self.last_beat = self.last_look = 0.0
        self.asked = False  # to stop, when it was looked for last
        signal.signal(signal.SIGTERM, lambda *_: self.interrupted.set())
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def run(self) -> None:
        beats = threading.Thread(target=self._beat_until_steps, daemon=True)
        beats.start()
        last: dict[str, Any] = {}
        try:
            for event in _executor()(self.folder, self.pulse):
                last = event
        except Exception as error:
            traceback.print_exc()
            self._stop_beating(beats)
            self._failed(error)
            return
        self._stop_beating(beats)
        if last.get("event") == "finished":
            self._end(state="finished", finished=last)
        elif self.interrupted.is_set() and not self.folder.asked_to_stop():
            index.change(self.folder.id, {"running"}, state="queued")
        else:
            self._end(state="stopped")

    def pulse(self) -> bool:
        """Called at every step: show that we are alive; whether to stop."""
        if not self.stepping.is_set():
            self.stepping.set()
        now = time.monotonic()
        if now - self.last_beat >= BEAT_EVERY_S:
            self.last_beat = now
            self.folder.beat()
        if now - self.last_look >= LOOK_EVERY_S:
            self.last_look = now
            self.asked = self.folder.asked_to_stop()
        return self.interrupted.is_set() or self.asked

    def _stop_beating(self, beats: threading.Thread) -> None:
        """Before the run is told to have ended: from then on its folder may be deleted."""
        self.stepping.set()
        beats.join()

    def _beat_until_steps(self) -> None:
        """Loading data can take minutes before the first step."""
        while not self.stepping.is_set():
            self.folder.beat()
            self.stepping.wait(BEAT_EVERY_S)

    def _failed(self, error: Exception) -> None:
        reason = training_failed(error).to_json()
        give_way()
        self.folder.append_event({"event": "failed", "error": reason})
        self._end(state="failed", error=reason)

    def _end(self, **changes: Any) -> None:
        index.change(self.folder.id, {"running", "stopping"}, ended=time.time(), pid=None, **changes)


def _executor() -> Execute:
    """What carries out a run; tests of the queue name a quicker one."""
    module, _, function = os.environ.get("ATLAS_EXECUTOR", EXECUTOR).partition(":")
    return cast(Execute, getattr(importlib.import_module(module), function))


def _log_to(file: Path) -> None:
    """Send everything this process says, C++ libraries included, to a file in the run's folder."""
    fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.close(fd)
