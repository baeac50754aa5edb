"""How the web process asks for work: it imports no torch and waits for nothing that has no bound.

One supervisor serves all sessions of all servers that share an ``ATLAS_HOME``; whoever needs it first starts it.
"""

import contextlib
import json
import os
import pickle
import subprocess
import sys
import threading
import time
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection
from typing import Any

from filelock import FileLock, Timeout

from core.errors import UserError
from core.runs.endpoint import NoSupervisorError, code_time, connect, supervisor_folder
from core.runs.failures import ended_unexpectedly
from core.runs.system import wait_or_kill

START_S = 10.0  # bound on the wait for a new supervisor; it takes about 0.3 s on an idle machine
PATIENCE_S = 60.0  # how long a call may queue behind others before it is told that the machine is busy
_LOG_BYTES = 1_000_000
_LOOK_AFTER_S = 5.0
_looked = -_LOOK_AFTER_S  # monotonic seconds


class RemoteError(RuntimeError):
    """A called function failed by a mistake of ours; the text is its traceback."""


def ensure_supervisor() -> None:
    """Make sure that one supervisor is alive and runs code at least as new as ours. Safe to call from anywhere.

    Takes a millisecond or two when it is. Raises `UserError` when it cannot be started. Where somebody else starts
    it (``ATLAS_SUPERVISOR=elsewhere``: another container, whose processes are not ours to end), it is waited for.
    """
    if os.environ.get("ATLAS_SUPERVISOR") == "elsewhere":
        _wait_for_it()
        return
    state = ping()
    if state is not None and state["code_time"] >= code_time():
        return
    try:
        with FileLock(supervisor_folder() / "start.lock", timeout=START_S):
            state = ping()
            if state is not None and state["code_time"] < code_time():
                shutdown()
                state = None
            if state is None:
                _start()
    except Timeout:
        if ping() is None:
            raise _not_started() from None


def call(function: str, *, pool: str = "compute", timeout: float = 60.0, **arguments: Any) -> Any:
    """Run ``package.module:function`` of `core` with these arguments in a warm process, and return its result.

    `pool` is "compute" (has torch), "decode" (for bytes that came from a person: no torch, little memory) or "import"
    (the same for whole archives, which may take a minute and hold up none of the others).
    `timeout` bounds the seconds the function may take, not the wait for a free process. Arguments and results are
    plain: numbers, text, bytes, lists, dicts, numpy arrays. Raises the `UserError` the function raises, and one
    of its own when it took too long or too much memory; `RemoteError` when the function has a bug.
    """
    request = {"do": "call", "pool": pool, "timeout": timeout, "patience": PATIENCE_S, "function": function}
    payload = pickle.dumps((function, arguments), protocol=pickle.HIGHEST_PROTOCOL)
    reply = _ask(request, payload, wait=timeout + PATIENCE_S + 10)
    kind, value = pickle.loads(reply)  # noqa: S301  the sender has proved that it holds this user's key
    if kind == "user-error":
        raise UserError.from_json(value)
    if kind == "bug":
        raise RemoteError(value)
    return value


def wake() -> None:
    """Tell the supervisor that the queue has changed; start it when there is none."""
    _ask({"do": "wake"})


def look_after() -> None:
    """Have somebody care for runs that are said to be active, or be ready for work that is about to come, without
    waiting for it; at most every five seconds.

    Whoever trained them may have died with the machine, and nobody but the pages is left to notice.
    """
    global _looked  # noqa: PLW0603
    now = time.monotonic()
    if now - _looked < _LOOK_AFTER_S:
        return
    _looked = now
    threading.Thread(target=_ensured_quietly, daemon=True, name="look-after-runs").start()


def _ensured_quietly() -> None:
    with contextlib.suppress(UserError, OSError, AuthenticationError):  # told when somebody asks for work
        ensure_supervisor()


def ping() -> dict[str, Any] | None:
    """What the living supervisor says of itself ("pid", "code_time", "pools"), or None."""
    with contextlib.suppress(NoSupervisorError, EOFError), connect() as connection:
        return dict(json.loads(_exchange(connection, {"do": "ping"}, None, wait=5)))
    return None


def shutdown(wait: float = 15.0) -> None:
    """End the supervisor of this home, if any, with all its workers; a run in training is resumed by the next one."""
    state = ping()
    if state is None:
        return
    with contextlib.suppress(NoSupervisorError, EOFError), connect() as connection:
        _exchange(connection, {"do": "shutdown"}, None, wait=5)
    wait_or_kill(state["pid"], wait)


def _ask(request: dict[str, Any], payload: bytes | None = None, wait: float = 10.0) -> bytes:
    """One question, one answer. A supervisor that dies before it answers is replaced and asked again, once."""
    for last_try in (False, True):
        try:
            with connect() as connection:
                return _exchange(connection, request, payload, wait)
        except (NoSupervisorError, EOFError):
            if last_try:
                raise ended_unexpectedly() from None
        except AuthenticationError:
            raise _not_started() from None
        ensure_supervisor()
    raise AssertionError("unreachable")


def _exchange(connection: Connection, request: dict[str, Any], payload: bytes | None, wait: float) -> bytes:
    try:
        connection.send_bytes(json.dumps(request).encode())
        if payload is not None:
            connection.send_bytes(payload)
        if not connection.poll(wait):
            raise UserError("The background process does not answer. Try again in a minute.")
        return connection.recv_bytes()
    except OSError as error:
        raise NoSupervisorError(str(error)) from error


def _wait_for_it() -> None:
    deadline = time.monotonic() + START_S
    while ping() is None:
        if time.monotonic() > deadline:
            raise UserError("The background process does not answer. Try again in a minute.")
        time.sleep(0.1)


def _start() -> None:
    """Start a supervisor that outlives us, and wait until it answers; the caller holds the start lock."""
    log = supervisor_folder() / "log.txt"
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_suffix(".old.txt"))
    detached: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        detached = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "core.runs.supervisor"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            **detached,
        )
    # Somebody has to take note of its end, or it stays in the process table for as long as we live: also of one that
    # answers too late for us.
    threading.Thread(target=process.wait, daemon=True, name="supervisor-ended").start()
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if ping() is not None:
            return
        if process.poll() is not None:
            break
        time.sleep(0.01)
    raise _not_started()


def _not_started() -> UserError:
    return UserError(
        "The background process could not be started. Its log is {path}.", path=supervisor_folder() / "log.txt"
    )
