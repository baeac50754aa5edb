"""What can be asked of the machine without torch."""

import os


def usable_cores() -> int:
    """Cores this process may run on: a container often allows fewer than the machine has."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def wait_without_spinning() -> None:
    """Let the threads of one operation sleep until the next, unless the user's OMP_WAIT_POLICY says otherwise.

    OpenMP's spin instead, and when somebody else needs the core too, each waits for one that is not running: small
    networks trained up to ten times slower (``tests/bench/LOG.md``). Must come before torch is imported; processes
    that are started later inherit it.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
