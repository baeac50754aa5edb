"""Files that are whole or not there, whatever is killed while they are written."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that it is seen either as it was or as it is, never in between."""
    with replacing(path) as file:
        file.write(data)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write that takes the place of `path` once it is written whole and on the disk.

    The temporary name is fixed, so that a killed writer leaves one orphan, which the next writer overwrites.
    """
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    _replace(temporary, path)


def _replace(temporary: Path, path: Path) -> None:
    """Windows refuses while somebody reads the old file, which takes a moment."""
    for _try in range(100 if sys.platform == "win32" else 0):
        with contextlib.suppress(PermissionError):
            temporary.replace(path)
            return
        time.sleep(0.01)
    temporary.replace(path)
