"""Where the supervisor listens, and the key that proves both ends belong to the same person.

Both ends prove that they hold the key before anything is unpickled, and every wait of the handshake is bounded:
a silent or foreign peer can hold up neither side.
"""

import contextlib
import hashlib
import os
import secrets
import sys
import tempfile
from functools import cache
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener, answer_challenge, deliver_challenge
from pathlib import Path
from typing import Any, cast

import core
from core.home import atlas_home

HANDSHAKE_S = 5.0
_LONGEST_SOCKET_PATH = 100  # bytes; the system's limit is 108 on Linux, 104 on macOS


class NoSupervisorError(OSError):
    """Nobody answers at the address."""


def supervisor_folder() -> Path:
    """The supervisor's own files (key, locks, log, socket), readable by this user only."""
    folder = atlas_home() / "supervisor"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def address() -> str:
    """A Unix socket below `atlas_home`, or in the temporary folder when that path is too long; a pipe on Windows."""
    digest = hashlib.sha256(str(atlas_home()).encode()).hexdigest()[:16]
    if sys.platform == "win32":
        return rf"\\.\pipe\concept-atlas-{digest}"
    near = supervisor_folder() / "socket"
    if len(os.fsencode(near)) <= _LONGEST_SOCKET_PATH:
        return str(near)
    folder = Path(tempfile.gettempdir()) / f"atlas-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.lstat().st_uid != os.getuid():
        raise NoSupervisorError(f"{folder} belongs to somebody else")
    return str(folder / "socket")


def listen() -> tuple[Listener, bytes]:
    """Start listening under a fresh key; only the holder of the supervisor's lock may call this."""
    where = address()
    if sys.platform != "win32":
        Path(where).unlink(missing_ok=True)  # left behind by a supervisor that was killed
    key = secrets.token_bytes(32)
    fresh = _key_file().with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key)
    fresh.replace(_key_file())
    return Listener(where, backlog=64), key


def welcome(connection: Connection, key: bytes) -> None:
    """The supervisor's side of the handshake. Raises OSError, EOFError or AuthenticationError."""
    deliver_challenge(cast(Any, _Patient(connection)), key)
    answer_challenge(cast(Any, _Patient(connection)), key)


def connect() -> Connection:
    """A connection to the living supervisor. Raises `NoSupervisorError`, or AuthenticationError for a foreign one."""
    key = _key()
    try:
        return _connected(key)
    except AuthenticationError:
        if _key() == key:
            raise
        return _connected(_key())  # a new supervisor took over between our look at the key and our call


def _connected(key: bytes) -> Connection:
    try:
        connection: Connection = Client(address())
    except OSError as error:
        raise NoSupervisorError(str(error)) from error
    try:
        answer_challenge(cast(Any, _Patient(connection)), key)
        deliver_challenge(cast(Any, _Patient(connection)), key)
    except BaseException as error:
        connection.close()
        if isinstance(error, OSError | EOFError):
            raise NoSupervisorError(str(error)) from error
        raise
    return connection


def is_mine(key: bytes) -> bool:
    """Whether this is still the key of the home's supervisor."""
    with contextlib.suppress(OSError):
        return _key_file().read_bytes() == key
    return False


def _key() -> bytes:
    try:
        return _key_file().read_bytes()
    except OSError as error:
        raise NoSupervisorError(str(error)) from error


@cache
def code_time() -> int:
    """When the newest file of `core` was changed (nanoseconds): an older supervisor runs older code."""
    return max(file.stat().st_mtime_ns for file in Path(core.__path__[0]).rglob("*.py"))


def _key_file() -> Path:
    return supervisor_folder() / "key"


class _Patient:
    """A connection during the handshake: the wait for each message is bounded."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.send_bytes = connection.send_bytes

    def recv_bytes(self, maxlength: int | None = None) -> bytes:
        if not self.connection.poll(HANDSHAKE_S):
            raise OSError("the other side says nothing")
        return self.connection.recv_bytes(maxlength)
