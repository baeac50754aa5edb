"""Calls that break the bounds on purpose: they show, in the tests and on a new platform, that the bounds hold."""

import os
import sys
import time
from typing import Any

import numpy as np

from core.errors import UserError


def echo(value: Any) -> Any:
    """The same value, after its way through the processes."""
    return value


def about() -> dict[str, Any]:
    """The process that answers, whether it has torch, how the threads of one operation wait for the next, how nice."""
    return {
        "pid": os.getpid(),
        "torch": "torch" in sys.modules,
        "threads wait": os.environ.get("OMP_WAIT_POLICY"),
        "niceness": os.nice(0) if hasattr(os, "nice") else 0,
    }


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def allocate(mebibytes: int) -> int:
    """Fill so much memory; the bytes filled."""
    return int(np.ones(mebibytes * 2**20, dtype=np.uint8).nbytes)


def hoard(mebibytes: int) -> int:
    """Fill so much memory bit by bit."""
    kept = []
    for _ in range(mebibytes):
        kept.append(b"x" * 2**20)
        time.sleep(0.0005)
    return len(kept)


def die() -> None:
    """End the process as a crash in a library would."""
    os._exit(139)


def refuse(name: str) -> None:
    raise UserError("The picture {name} cannot be read.", name=name)


def stumble() -> None:
    raise ZeroDivisionError("a mistake of ours")
