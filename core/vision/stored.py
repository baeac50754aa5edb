"""Pixels in a file of the cache, for data sets that are too large for the memory, and the way they get there.

The file is written in pieces, so that making it takes no more memory than one of them, and read picture by picture: the
system keeps what it has room for. Several runs share that.

A file holds three arrays in NumPy's own format, one behind the other: the pixels (N,H,W,C) uint8, a mark (N,) int64 for
each picture, and the version of the data as text. It is seen whole or not at all; one that is not whole is made anew.
"""

import contextlib
import math
import mmap
import os
import shutil
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import torch
from filelock import FileLock, Timeout
from numpy.lib import format as npy
from numpy.typing import NDArray
from torch import Tensor

from core.errors import UserError
from core.files import replacing
from core.home import cache_folder
from core.machine import resident_limit

ENDING = ".pixels"
KEPT_BYTES = 16 * 2**30  # of all these files together; beyond that, those go that were used longest ago
MOST_BYTES = 64 * 10**9  # of one data set
FREE_BYTES = 256 * 2**20  # left on the disk for others
CAN_ASK = sys.platform == "linux" and hasattr(os, "RWF_NOWAIT")

Chunk = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""Some pictures (n,H,W,C) and their marks (n,)."""
Piece = tuple[int, memoryview]
"""Where bytes begin in a file, and the memory they go to."""


class StoredPixels:
    """The pixels of a file; reading some of them gives a tensor of its own. They outlive the removal of the file.

    On Linux, what the system still has in memory is copied at once, and the rest of a batch is asked for all together:
    it comes ten times as fast as picture after picture, and comes while something else is computed. A mapping would
    cost a page fault for each picture, which is more than to read it (``tests/bench/LOG.md``); it is for other systems.
    """

    def __init__(self, file: Path, offset: int, shape: tuple[int, int, int, int]) -> None:
        """(N,H,W,C) bytes that begin at `offset`."""
        self.file, self.offset = file, offset
        count, height, width, channels = shape
        self.shape = torch.Size((count, channels, height, width))
        self.picture = (height, width, channels)
        with file.open("rb") as opened:
            self.descriptor = os.dup(opened.fileno())
            weakref.finalize(self, os.close, self.descriptor)
            if not CAN_ASK:
                mapping = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
                self.mapped = np.frombuffer(mapping, np.uint8, math.prod(shape), offset).reshape(shape)

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape)

    def begin(self, rows: Tensor, pinned: bool = False) -> Callable[[], Tensor]:
        """Begin to read the pictures in these rows, (B,) int64. What is returned waits for them and hands them over:
        (B,C,H,W) bytes, channels-last, in pinned memory if asked for."""
        found = torch.empty((len(rows), *self.picture), dtype=torch.uint8, pin_memory=pinned)
        late = []
        if CAN_ASK:
            late = [piece for piece in self._pieces(rows, found) if not self._copied(piece, os.RWF_NOWAIT)]
            for start, room in late:
                os.posix_fadvise(self.descriptor, start, len(room), os.POSIX_FADV_WILLNEED)
        else:  # "clip" writes straight into `out`; NumPy's own check of the rows would copy once more
            np.take(self.mapped, rows.numpy(), axis=0, out=found.numpy(), mode="clip")

        def end() -> Tensor:
            for piece in late:
                if not self._copied(piece):
                    raise OSError(f"{self.file} has become shorter")
            return found.permute(0, 3, 1, 2)

        return end

    def _pieces(self, rows: Tensor, found: Tensor) -> Iterator[Piece]:
        """Where in the file each picture stands, and where its bytes go; those that follow each other are one piece."""
        size, room = math.prod(self.picture), found.numpy().reshape(-1).data
        begin, places = 0, rows.tolist()
        for end in range(1, len(places) + 1):
            if end == len(places) or places[end] != places[end - 1] + 1:
                yield self.offset + places[begin] * size, room[begin * size : end * size]
                begin = end

    def _copied(self, piece: Piece, how: int = 0) -> bool:
        """Whether the bytes of a piece could be copied; `os.RWF_NOWAIT` takes only what is in memory already."""
        start, room = piece
        try:
            return os.preadv(self.descriptor, [room], start, how) == len(room)
        except OSError:
            if not how:
                raise
            return False  # not in memory, or a file system that cannot tell


@dataclass(frozen=True)
class Kept:
    """A data set as its file has it."""

    pixels: Tensor | StoredPixels  # (N,C,H,W); a tensor where it may be kept in memory
    marks: Tensor  # (N,) int64


def fits_memory(size: int) -> bool:
    """Whether so many bytes of pixels are kept in memory."""
    return size <= resident_limit()


def kept(name: str, version: str, shape: tuple[int, int, int, int], make: Callable[[], Iterable[Chunk]]) -> Kept:
    """The (N,H,W,C) pixels of that name and version from the cache, or from `make`, whose chunks are written to it.

    A name has one file: what is stored of an older version is replaced, not kept beside. Raises `UserError` when there
    is no room for it.
    """
    file = cache_folder() / f"{name}{ENDING}"
    with _lock(file):  # a preview and a run may want the same data at once
        found = _opened(file, version, shape)
        if found is None:
            _make_room(file, shape)
            try:
                with replacing(file) as opened:
                    _write(opened, version, shape, make())
            except BaseException:  # half of it is of no use to anybody, and large
                file.with_name(file.name + ".tmp").unlink(missing_ok=True)
                raise
            _forget_the_oldest(file)
            found = _opened(file, version, shape)
            assert found is not None, "it was written under the lock"
    with contextlib.suppress(OSError):
        os.utime(file)  # used just now
    return found


def _write(opened: IO[bytes], version: str, shape: tuple[int, ...], chunks: Iterable[Chunk]) -> None:
    marks = []
    npy.write_array_header_1_0(opened, {"descr": "|u1", "fortran_order": False, "shape": shape})
    for pixels, some in chunks:
        opened.write(np.ascontiguousarray(pixels).data)
        marks.append(some)
    npy.write_array(opened, np.concatenate(marks).astype(np.int64), allow_pickle=False)
    npy.write_array(opened, np.array(version), allow_pickle=False)
    assert len(np.concatenate(marks)) == shape[0], "as many pictures as were announced"


def _opened(file: Path, version: str, shape: tuple[int, int, int, int]) -> Kept | None:
    """What the file holds; None when it is not there, not whole, or of other pictures."""
    size = math.prod(shape)
    try:
        with file.open("rb") as opened:
            npy.read_magic(opened)
            found, fortran, kind = npy.read_array_header_1_0(opened)
            if (found, fortran, kind) != (shape, False, np.dtype(np.uint8)):
                return None
            offset = opened.tell()
            opened.seek(offset + size)
            marks = npy.read_array(opened, allow_pickle=False)
            if str(npy.read_array(opened, allow_pickle=False)) != version or marks.shape != shape[:1]:
                return None
            if not fits_memory(size):
                return Kept(StoredPixels(file, offset, shape), torch.from_numpy(marks))
            opened.seek(offset)
            pixels = np.fromfile(opened, np.uint8, size).reshape(shape)
    except (OSError, ValueError, EOFError):
        return None
    return Kept(torch.from_numpy(pixels).permute(0, 3, 1, 2), torch.from_numpy(marks))


def _make_room(file: Path, shape: tuple[int, int, int, int]) -> None:
    """Raises `UserError` if the disk has no room for so many pixels, when what can be made again is gone."""
    count, side, _, _ = shape
    wanted = math.prod(shape) + 8 * count
    for half in file.parent.glob("*.tmp"):  # of a writer that was killed
        with contextlib.suppress(Timeout), _lock(half.with_suffix(""), timeout=0):
            half.unlink(missing_ok=True)
    for old in _by_last_use(file.parent):
        if shutil.disk_usage(file.parent).free > FREE_BYTES + wanted:
            break
        if old != file:
            _remove(old)
    room = min(MOST_BYTES, shutil.disk_usage(file.parent).free - FREE_BYTES)
    if wanted > room:
        raise UserError(
            "{count} pictures of {side}×{side} pixels take {needed} GB on the disk; at most {room} GB are free for "
            "them. Choose a smaller image size or fewer pictures.",
            count=count,
            side=side,
            needed=round(wanted / 1e9, 1),
            room=max(0.0, round(room / 1e9, 1)),
        )


def _forget_the_oldest(newest: Path) -> None:
    files = _by_last_use(newest.parent)
    taken = sum(file.stat().st_size for file in files)
    for file in files:
        if taken > KEPT_BYTES and file != newest:
            taken -= file.stat().st_size
            _remove(file)


def _by_last_use(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{ENDING}"), key=lambda file: file.stat().st_mtime)


def _remove(file: Path) -> None:
    """Whoever has mapped it goes on reading; Windows refuses then, and it stays."""
    with contextlib.suppress(OSError):
        file.unlink()


def _lock(file: Path, timeout: float = -1) -> FileLock:
    return FileLock(file.with_name(file.name + ".lock"), timeout=timeout)


def chunked(count: int, picture_bytes: int, most: int) -> Iterator[tuple[int, int]]:
    """(start, stop) of pieces of at most `most` pictures and about 16 MB."""
    size = max(1, min(most, 2**24 // picture_bytes))
    for start in range(0, count, size):
        yield start, min(start + size, count)
