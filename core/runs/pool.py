"""A few warm processes that answer calls, each within its bounds; one that breaks them is killed and replaced."""

import contextlib
import pickle
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.context import BaseContext, SpawnProcess

from core.errors import UserError
from core.runs.failures import busy, ended_unexpectedly, too_large, too_slow
from core.runs.system import resident_bytes
from core.runs.warm import KEEP, Setup, serve

_LOOK_EVERY_S = 0.05  # at the memory of a process that is working
_READY_S = 120.0  # importing torch on a slow, busy disk


@dataclass(frozen=True)
class Bounds:
    """How many processes a pool has and what each may use."""

    processes: int
    memory_bytes: int  # resident, besides the request itself
    calls: int = 10_000  # then a process is replaced by a fresh one
    setup: Setup = field(default_factory=Setup)


class Worker:
    """One warm process, seen from the supervisor."""

    def __init__(self, context: BaseContext, name: str, setup: Setup) -> None:
        self.pipe, theirs = context.Pipe()
        process: SpawnProcess = context.Process(  # type: ignore[attr-defined]
            target=serve, args=(theirs, setup), name=f"atlas-{name}", daemon=True
        )
        self.process = process
        process.start()
        theirs.close()
        self.calls = 0
        if not self.pipe.poll(_READY_S) or self.pipe.recv_bytes() != b"ready":
            self.kill()
            raise EOFError("a warm process did not start")

    def ask(self, payload: bytes, timeout: float, memory_bytes: int) -> bytes:
        """The process's answer. Raises `UserError` when it is killed for what it takes, or dies."""
        self.calls += 1
        deadline = time.monotonic() + timeout
        try:
            self.pipe.send_bytes(payload)
            while not self.pipe.poll(_LOOK_EVERY_S):
                if time.monotonic() > deadline:
                    raise too_slow(timeout)
                if resident_bytes(self.process.pid or 0) > memory_bytes + 3 * len(payload):
                    raise too_large()
            return self.pipe.recv_bytes()
        except (EOFError, OSError):
            raise ended_unexpectedly() from None

    def kill(self) -> None:
        self.process.kill()
        self.process.join(5)
        self.pipe.close()


class Pool:
    """Calls wait in line for one of the pool's processes."""

    def __init__(self, name: str, context: BaseContext, bounds: Bounds) -> None:
        self.name, self.context, self.bounds = name, context, bounds
        self.idle: queue.Queue[Worker] = queue.Queue()
        self.workers: set[Worker] = set()
        self.closed = threading.Event()
        for _ in range(bounds.processes):
            self._start_one()

    def call(self, receive: Callable[[], bytes], timeout: float, patience: float) -> bytes:
        """The pickled answer to a call. `receive` hands over the request once a process is free: big uploads
        wait at the sender, not here."""
        try:
            worker = self.idle.get(timeout=patience)
        except queue.Empty:
            receive()
            return _refusal(busy())
        keep = True
        try:
            payload = receive()
            keep = False
            answer = worker.ask(payload, timeout, self.bounds.memory_bytes)
            keep = answer[:1] == KEEP and worker.calls < self.bounds.calls
            return answer[1:]
        except UserError as error:
            return _refusal(error)
        finally:
            if keep:
                self.idle.put(worker)
            else:
                self._replace(worker)

    def close(self) -> None:
        self.closed.set()
        for worker in list(self.workers):
            worker.kill()

    def _replace(self, worker: Worker) -> None:
        self.workers.discard(worker)
        worker.kill()
        self._start_one()

    def _start_one(self) -> None:
        threading.Thread(target=self._start, daemon=True, name=f"start-{self.name}").start()

    def _start(self) -> None:
        """Start a process beside the calls; keep trying, so that a moment without memory costs no place for ever."""
        while not self.closed.is_set():
            with contextlib.suppress(OSError, EOFError):
                worker = Worker(self.context, self.name, self.bounds.setup)
                self.workers.add(worker)
                if self.closed.is_set():
                    worker.kill()
                self.idle.put(worker)
                return
            self.closed.wait(1.0)


def _refusal(error: UserError) -> bytes:
    return pickle.dumps(("user-error", error.to_json()))
