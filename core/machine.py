"""What can be asked of the machine without torch."""

import os


def usable_cores() -> int:
    """Cores this process may run on: a container often allows fewer than the machine has."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
