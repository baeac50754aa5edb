"""Fetch a file once from the internet, in pieces of bounded time, without ever hanging where there is none."""

import hashlib
import time
import urllib.request
from pathlib import Path

from filelock import FileLock

from core.errors import UserError

SILENCE_S = 5.0  # a server that says nothing for so long is not there
PATIENCE_S = 40.0  # how long one call fetches; the next goes on where it ended
CHUNK = 2**20


def fetch(url: str, file: Path, sha256_start: str, patience_s: float = PATIENCE_S) -> Path:
    """The file, downloaded unless it is there already; `sha256_start` is how its checksum must begin.

    Raises `UserError` when it cannot be reached, is not what was asked for, or needs another call to complete.
    """
    if file.is_file():
        return file
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(file.name + ".part")
    with FileLock(part.with_name(part.name + ".lock")):
        if file.is_file():
            return file
        try:
            _download(url, part, time.monotonic() + patience_s)
        except OSError as error:  # URLError, time-outs and resets are all of this kind
            raise UserError(
                "{file} is not on this machine and cannot be downloaded ({reason}). Connect to the internet once, "
                "or put it into {folder}.",
                file=file.name,
                reason=str(error),
                folder=file.parent,
            ) from None
        with part.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        if not digest.startswith(sha256_start):
            part.unlink()
            raise UserError("What was downloaded as {file} is not that file. Try again.", file=file.name)
        part.replace(file)
    return file


def _download(url: str, part: Path, deadline: float) -> None:
    """Append to `part` what is still missing. Raises OSError, or `UserError` when the time is up."""
    start = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"})  # noqa: S310  a URL of ours
    with urllib.request.urlopen(request, timeout=SILENCE_S) as response:  # noqa: S310
        start = start if response.status == 206 else 0  # a server may send everything instead
        size = start + int(response.headers.get("Content-Length", 0))
        with part.open("ab" if start else "wb") as file:
            while data := response.read(CHUNK):
                file.write(data)
                if time.monotonic() > deadline:
                    raise UserError(
                        "{done} of {size} MB of {file} are downloaded. Try again to go on.",
                        done=file.tell() // 10**6,
                        size=size // 10**6,
                        file=part.stem,
                    )
            if file.tell() < size:
                raise OSError("the connection broke off")
