"""``python -m core.runs.supervisor``: the one process that owns the queue and the warm processes of a home.

Light: imports no torch. Whatever may crash, hang or eat memory happens in the processes it starts.
"""

import json
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, Listener
from typing import Any

from filelock import FileLock, Timeout

from core.machine import usable_cores, wait_without_spinning
from core.runs.disk import keep_ballast
from core.runs.endpoint import address, code_time, is_mine, listen, supervisor_folder, welcome
from core.runs.pool import Bounds, Pool
from core.runs.system import memory_bytes
from core.runs.trainers import Trainers
from core.runs.warm import Setup

IDLE_EXIT_S = 600.0
_LOOK_EVERY_S = 1.0
_TAKE_OVER_S = 5.0
_MIB = 2**20


class Supervisor:
    """Answers clients, each in a thread of its own, and looks after the training processes in the main thread."""

    def __init__(self) -> None:
        self.context = _context()
        self.listener, self.key = listen()
        self.changed = threading.Event()  # the queue, or a training process
        self.warm = threading.Event()  # whether a new process starts at once
        self.ending = False
        self.last_contact = time.monotonic()
        self.clients = 0
        self.count_lock = threading.Lock()
        self.idle_exit_s = float(os.environ.get("ATLAS_IDLE_EXIT", IDLE_EXIT_S))
        self.trainers = Trainers(self.context, self.changed)
        self.pools = {
            "compute": Pool("compute", self.context, _compute_bounds()),
            "decode": Pool("decode", multiprocessing.get_context("spawn"), _decode_bounds()),
            "import": Pool("import", multiprocessing.get_context("spawn"), _decode_bounds(niceness=5)),
        }

    def run(self) -> None:
        for task in (self._accept, self._warm_up):
            threading.Thread(target=task, daemon=True).start()
        while not self.ending and not self._nobody_cares():
            self._look()
            self.changed.wait(_LOOK_EVERY_S)
            self.changed.clear()
        mine = is_mine(self.key)
        if mine:
            _close(self.listener)
        for pool in self.pools.values():
            pool.close()
        self.trainers.close()
        if not mine:
            os._exit(0)  # an ordinary end would remove the socket, which is the next supervisor's

    def _look(self) -> None:
        try:
            if not is_mine(self.key):
                self.end()  # the home was deleted under us, and belongs to the next supervisor
                return
            keep_ballast()
            self.trainers.look(start=self.warm.is_set())
        except Exception:  # a full disk, a locked index: the other runs still need somebody to look after them
            traceback.print_exc()

    def _warm_up(self) -> None:
        """Wait beside everything else until processes can be forked: importing torch takes seconds."""
        process = self.context.Process(target=int, name="atlas-first")
        process.start()
        process.join()
        self.warm.set()
        self.changed.set()

    def end(self, *_signal: object) -> None:
        self.ending = True
        self.changed.set()

    def _nobody_cares(self) -> bool:
        quiet = time.monotonic() - self.last_contact > self.idle_exit_s
        return quiet and self.clients == 0 and not self.trainers.busy()

    def _accept(self) -> None:
        while not self.ending:
            try:
                connection = self.listener.accept()
            except OSError:  # a client that went away while it was let in, or the end
                time.sleep(0.01)
                continue
            threading.Thread(target=self._client, args=(connection,), daemon=True).start()

    def _client(self, connection: Connection) -> None:
        with self.count_lock:
            self.clients += 1
        try:
            with connection:
                welcome(connection, self.key)
                request = json.loads(connection.recv_bytes(65536))
                connection.send_bytes(self._answer(request, connection))
        except (OSError, EOFError, AuthenticationError, AssertionError, ValueError, KeyError) as error:
            print(f"a client was turned away or left: {error!r}", file=sys.stderr)
        finally:
            with self.count_lock:
                self.clients -= 1
                self.last_contact = time.monotonic()

    def _answer(self, request: dict[str, Any], connection: Connection) -> bytes:
        match request["do"]:
            case "call":
                pool = self.pools[request["pool"]]
                return pool.call(connection.recv_bytes, float(request["timeout"]), float(request["patience"]))
            case "ping":
                idle = {name: pool.idle.qsize() for name, pool in self.pools.items()}
                return json.dumps({"pid": os.getpid(), "code_time": code_time(), "idle": idle}).encode()
            case "wake":
                self.changed.set()
                return b"{}"
            case "shutdown":
                self.end()
                return b"{}"
        raise ValueError(f"unknown request {request['do']!r}")


def main() -> int:
    """0 when done, or when another supervisor already serves this home."""
    lock = FileLock(supervisor_folder() / "alive.lock")
    try:
        lock.acquire(timeout=_TAKE_OVER_S)  # one that is ending, or was just killed, lets go in a moment
    except Timeout:
        return 0
    with lock:
        code_time()
        wait_without_spinning()  # all processes that compute are started from here
        supervisor = Supervisor()
        signal.signal(signal.SIGTERM, supervisor.end)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        supervisor.run()
    return 0


def _context() -> Any:
    """Processes forked from a clean one that has torch imported; fresh ones where the system cannot."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["core.runs.preload"])
    return context


def _compute_bounds() -> Bounds:
    cores = usable_cores()
    processes = 1 if cores < 4 else 2
    memory = max(2048 * _MIB, memory_bytes() // 2)
    return Bounds(processes, memory, setup=Setup(("core.runs.preload",), threads=max(1, cores // processes)))


def _decode_bounds(niceness: int = 0) -> Bounds:
    setup = Setup(("numpy", "PIL.Image", "core.vision.decoding"), memory_bytes=600 * _MIB, niceness=niceness)
    return Bounds(2, 800 * _MIB, calls=200, setup=setup)


def _close(listener: Listener) -> None:
    listener.close()
    if sys.platform != "win32" and os.path.exists(address()):
        os.unlink(address())


if __name__ == "__main__":
    sys.exit(main())
