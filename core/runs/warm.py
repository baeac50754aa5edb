"""Inside a warm process: answer one call after another until the supervisor hangs up.

Imports nothing heavy itself, so that the process that decodes what people upload stays small.
"""

import contextlib
import importlib
import os
import pickle
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import connection, parent_process
from multiprocessing.connection import Connection
from typing import Any

from core.errors import UserError
from core.runs.failures import out_of_memory, too_large
from core.runs.system import bounded_memory

KEEP, REPLACE = b"k", b"r"  # the first byte of an answer: may this process serve another call?
_FUNCTION = re.compile(r"core(\.[a-z][a-z0-9_]*)+:[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Setup:
    """What a process of a pool is given before its first call."""

    modules: tuple[str, ...] = ()  # imported before the first call
    threads: int | None = None  # of torch, where it is imported
    memory_bytes: int | None = None  # what a call may map beyond what is there when it begins
    niceness: int = 0  # of processes whose work may wait


def serve(pipe: Connection, setup: Setup) -> None:
    """The main function of a warm process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    if setup.niceness and hasattr(os, "nice"):
        os.nice(setup.niceness)
    if setup.memory_bytes is not None:
        os.environ["OPENBLAS_NUM_THREADS"] = "1"  # each thread's buffers would take address space
    for name in setup.modules:
        importlib.import_module(name)
    if setup.threads is not None and "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(setup.threads)
    pipe.send_bytes(b"ready")
    with contextlib.suppress(EOFError, BrokenPipeError):  # the supervisor is gone, or has no use for us
        while True:
            pipe.send_bytes(answer(pipe.recv_bytes(), setup.memory_bytes))


def answer(request: bytes, memory_bytes: int | None = None) -> bytes:
    """Carry out one pickled ``(function, arguments)``; errors are part of the answer."""
    try:
        function, arguments = pickle.loads(request)  # noqa: S301  the client has proved that it holds our key
        with bounded_memory(memory_bytes):
            result = resolve(function)(**arguments)
        return KEEP + _packed("result", result)
    except UserError as error:
        return KEEP + _packed("user-error", error.to_json())
    except BaseException as error:
        if out_of_memory(error):
            return REPLACE + _packed("user-error", too_large().to_json())
        return REPLACE + _packed("bug", traceback.format_exc())


def resolve(name: str) -> Callable[..., Any]:
    """The public function of `core` that is named ``package.module:function``."""
    if not _FUNCTION.fullmatch(name):
        raise LookupError(f"{name!r} does not name a public function of core")
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


def end_with_parent() -> None:
    """End this process, whatever it is doing, when the supervisor dies: nobody is left to stop it."""
    parent = parent_process()
    assert parent is not None

    def wait() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _packed(kind: str, value: Any) -> bytes:
    return pickle.dumps((kind, value), protocol=pickle.HIGHEST_PROTOCOL)
