"""What the operating system knows of processes and memory, on every platform."""
# mypy: allow-untyped-calls

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil


def resident_bytes(pid: int) -> int:
    """The memory a process occupies; 0 when it is gone."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def memory_bytes() -> int:
    """The memory of this machine."""
    return int(psutil.virtual_memory().total)


def wait_or_kill(pid: int, seconds: float) -> None:
    """Wait for a process to end; kill it when it takes longer."""
    with suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
        process = psutil.Process(pid)
        try:
            process.wait(seconds)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(5)


@contextmanager
def bounded_memory(allowance: int | None) -> Iterator[None]:
    """Meanwhile this process may map `allowance` bytes more than it does now; beyond that Python raises MemoryError.

    Only Linux keeps such a bound; elsewhere there is only the supervisor's look at the resident memory.
    """
    if allowance is None or sys.platform != "linux":
        yield
        return
    import resource  # noqa: PLC0415  not on Windows

    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + allowance, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
