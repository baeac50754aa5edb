"""A disk of some megabytes of its own, to be filled."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Meanwhile `folder` is such a disk; skips where we may not mount one."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def fill(folder: Path) -> Path:
    """Take every byte that is left; the file that has them."""
    file = folder / "filler"
    with file.open("ab", buffering=0) as output:
        for size in (2**20, 4096, 1):
            try:
                while output.write(bytes(size)) == size:
                    pass
            except OSError:
                continue
    return file
