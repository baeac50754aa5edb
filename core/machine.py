"""What can be asked of the machine without torch."""

import ctypes
import os
import sys
from pathlib import Path

MOST_TRAINERS = 4  # beyond, every one has several cores
# libgomp, which torch has on Linux, counts the rounds of its glance; other OpenMPs know the first only.
THREADS_WAIT = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "2000"}


def usable_cores() -> int:
    """Cores this process may run on: a container often allows fewer than the machine has."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def has_gpu() -> bool:
    """Whether there seems to be a GPU to train on; the worker that trains finds out for sure."""
    return sys.platform == "darwin" or any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/dxg").exists()


def usual_trainers() -> int:
    """How many runs train at once unless somebody says otherwise: one on a GPU, else one for each core, up to four.

    On two cores two processes of one thread each trained 1.6 times as many pictures as one process; four no more.
    """
    return 1 if has_gpu() else min(MOST_TRAINERS, usable_cores())


def threads_each(trainers: int) -> int:
    """Threads of torch for each of so many trainings beside each other; ``ATLAS_THREADS`` takes precedence."""
    told = os.environ.get("ATLAS_THREADS", "")
    return max(1, int(told)) if told.isdecimal() else max(1, usable_cores() // trainers)


def memory_limit() -> int:
    """Bytes of memory there are: the machine's, or what its container allows; 4 GiB where the system does not say."""
    try:
        found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows
        found = 4 * 2**30
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            found = min(found, int(Path(file).read_text()))
        except (OSError, ValueError):  # not there, or "max"
            continue
    return found


def resident_limit() -> int:
    """Bytes of pictures that one process keeps in memory; a larger data set is read from a file.

    An eighth of the memory, as several runs train at once; ``ATLAS_RESIDENT_MB`` takes precedence. Only where the
    pictures lie depends on it, never what is learnt from them.
    """
    told = os.environ.get("ATLAS_RESIDENT_MB", "")
    return int(told) * 2**20 if told.isdecimal() else memory_limit() // 8


def give_back_freed_memory() -> bool:
    """Hand what was freed so far back to the system: what loading data leaves behind, what a class that has left held.

    Whether there was any; the C library (glibc) would keep it for later, others do so by themselves or not at all.
    """
    try:
        return bool(ctypes.CDLL(None).malloc_trim(0))
    except (AttributeError, OSError, TypeError):
        return False  # Windows, macOS, musl


def wait_without_spinning() -> None:
    """Let the threads of one operation sleep until the next, after a short glance whether it is there already, unless
    the user's OMP_WAIT_POLICY says otherwise.

    OpenMP's spin for milliseconds, and when somebody else needs the core too, each waits for one that is not running:
    small networks trained up to ten times slower. Without the glance they would be woken hundreds of times a step, and
    a ResNet-20 that has the machine to itself trains a quarter slower (``tests/bench/LOG.md``). Must come before torch
    is imported; processes that are started later inherit it.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.update(THREADS_WAIT)
