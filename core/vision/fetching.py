"""Fetch a file once from the internet: whole or not there, taken up where it broke off, never hanging."""

import hashlib
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import UserError
from core.tasks import Say

SILENCE_S = 5.0  # a server that says nothing for so long is not there
CHUNK = 2**18


@dataclass(frozen=True)
class Remote:
    """A file of the internet, where it is kept, and how it is known to be the right one."""

    url: str
    file: Path
    checksum: str  # such as "md5:c58f30108f718f92" or "sha256:f37072fd": the kind, and how it begins

    @property
    def part(self) -> Path:
        """What has come so far."""
        return self.file.with_name(self.file.name + ".part")

    def is_here(self) -> bool:
        """Whether it is there and whole; each state of the file is read only once in a process."""
        try:
            found = self.file.stat()
        except OSError:
            return False
        return _matches(self.file, found.st_size, found.st_mtime_ns, self.checksum)


@dataclass(frozen=True)
class Progress:
    """Bytes of a file that are here, and how many it has; 0 when that is not known."""

    done: int
    total: int


def fetch(remote: Remote, say: Say = lambda *_: None) -> Path:
    """The file, downloaded unless it is here already. Raises `UserError` when it cannot be."""
    while not remote.is_here():
        progress = fetch_some(remote, seconds=0.5)
        say("download", progress.done / progress.total if progress.total else 0.0)
    return remote.file


def kept(remote: Remote, what: str) -> Path:
    """The file of a data set, as somebody has downloaded it. Raises `UserError` when it is gone: training asks nobody
    outside by itself, not even for what was here when the run was begun."""
    if not remote.is_here():
        raise UserError(
            "{name} is not on this machine any more. Choose it on the page Train and download it there; then resume "
            "this run, or train anew.",
            name=what,
        )
    return remote.file


def fetch_some(remote: Remote, seconds: float) -> Progress:
    """Go on with a download for about so long, at least by one piece; the next call takes it up from there.

    Raises `UserError` when it cannot be reached, or is not what was asked for.
    """
    remote.file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(remote.part.with_name(remote.part.name + ".lock"), timeout=seconds):
            return _fetch_some(remote, seconds)
    except Timeout:  # another process is at it
        return Progress(_size(remote.part), 0)


def _fetch_some(remote: Remote, seconds: float) -> Progress:
    if remote.is_here():
        return Progress(_size(remote.file), _size(remote.file))
    try:
        progress = _download(remote.url, remote.part, time.monotonic() + seconds)
    except OSError as error:  # URLError, time-outs and resets are all of this kind
        raise UserError(
            "{file} is not on this machine and cannot be downloaded ({reason}). Connect to the internet once, "
            "or put it into {folder}.",
            file=remote.file.name,
            reason=_reason(error),
            folder=remote.file.parent,
        ) from None
    if progress.done < progress.total:
        return progress
    found = remote.part.stat()
    if not _matches(remote.part, found.st_size, found.st_mtime_ns, remote.checksum):
        remote.part.unlink()
        raise UserError("What was downloaded as {file} is not that file. Try again.", file=remote.file.name)
    remote.part.replace(remote.file)
    return progress


def _download(url: str, part: Path, deadline: float) -> Progress:
    """Append to `part` what is still missing, until the deadline. Raises OSError."""
    start = _size(part)
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"})  # noqa: S310  a URL of ours
    try:
        response = urllib.request.urlopen(request, timeout=SILENCE_S)  # noqa: S310
    except urllib.error.HTTPError as error:
        if error.code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        return Progress(start, start)  # all of it is here, or more: the checksum knows
    with response:
        in_pieces = response.status == HTTPStatus.PARTIAL_CONTENT
        start = start if in_pieces else 0  # this server sends everything anew
        total = start + int(response.headers.get("Content-Length", 0))
        with part.open("ab" if start else "wb") as file:
            while data := response.read1(CHUNK):  # what has arrived: a server that trickles holds nobody up
                file.write(data)
                if in_pieces and time.monotonic() > deadline:
                    return Progress(file.tell(), max(total, file.tell()))
            if file.tell() < total:
                raise OSError("the connection broke off")
            return Progress(file.tell(), file.tell())


@lru_cache(maxsize=200)
def _matches(file: Path, size: int, changed_ns: int, checksum: str) -> bool:
    """Whether the content has this checksum; size and time only tell one state of the file from another."""
    del size, changed_ns
    kind, _colon, wanted = checksum.partition(":")
    with file.open("rb") as content:
        return hashlib.file_digest(content, kind).hexdigest().startswith(wanted)


def _reason(error: OSError) -> str:
    """In the system's words, without the layers around them."""
    inner = getattr(error, "reason", error)  # of a URLError; a text in an HTTPError
    return (inner.strerror if isinstance(inner, OSError) else None) or str(inner)


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0
