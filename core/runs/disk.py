"""A disk that is full must not take the runs with it: a floor that training leaves free, and a ballast to throw out.

A full disk lets nothing be written, not even that a run has failed or is to be deleted. So a file of some megabytes is
kept for nothing else but to be removed then (`give_way`); the supervisor puts it back when there is room again.
"""

import contextlib
import errno
import os
import shutil
from pathlib import Path

from core.home import atlas_home

FLOOR_BYTES = 64 * 2**20  # left free by training, for what others have to write
BALLAST_BYTES = 16 * 2**20
_FULL_BYTES = 2 * 2**20  # less is called full
_CHUNK = bytes(2**20)


def check_room(folder: Path, wanted: int) -> None:
    """Raises OSError (no space left) when writing so many bytes would leave less than the floor."""
    if shutil.disk_usage(folder).free < FLOOR_BYTES + wanted:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def keep_ballast() -> None:
    """Have the ballast in its place, when there is room for it above the floor."""
    ballast = _ballast()
    if ballast.exists() or shutil.disk_usage(ballast.parent).free < FLOOR_BYTES + BALLAST_BYTES:
        return
    try:
        with ballast.open("wb") as file:
            for _ in range(BALLAST_BYTES // len(_CHUNK)):  # written: a hole in a file would keep no room
                file.write(_CHUNK)
    except OSError:  # somebody else was quicker to fill the disk
        ballast.unlink(missing_ok=True)


def give_way() -> None:
    """Throw the ballast out if the disk is full. Takes some microseconds when it is not."""
    with contextlib.suppress(OSError):
        if shutil.disk_usage(atlas_home()).free < _FULL_BYTES:
            _ballast().unlink(missing_ok=True)


def _ballast() -> Path:
    return atlas_home() / "ballast"
