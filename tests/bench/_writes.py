"""Tells, on Linux, the moment in which a file is opened or written: the system says so, nobody has to look."""

import ctypes
import os
import select
import struct
from pathlib import Path
from types import TracebackType
from typing import Self

_MODIFY, _CREATE, _OPEN = 0x2, 0x100, 0x20
_HEAD = struct.Struct("iIII")


class Writes:
    """The writes to one file of a folder (inotify)."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_CLOEXEC)
        if self.fd < 0 or libc.inotify_add_watch(self.fd, os.fsencode(folder), _MODIFY | _CREATE | _OPEN) < 0:
            raise OSError(ctypes.get_errno(), f"cannot watch {folder}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.fd)

    def wait(self, seconds: float) -> bool:
        """Whether the file was opened or written within so many seconds; returns in that moment."""
        while select.select([self.fd], [], [], seconds)[0]:
            data, place = os.read(self.fd, 65536), 0
            while place < len(data):
                *_, length = _HEAD.unpack_from(data, place)
                name = data[place + _HEAD.size : place + _HEAD.size + length].rstrip(b"\0")
                if os.fsdecode(name) == self.name:
                    return True
                place += _HEAD.size + length
        return False
