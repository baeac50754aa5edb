"""Carries out a run without training: so many steps of so many milliseconds, as the recipe's fields say.

epochs = steps, batch_size = milliseconds a step; `model` plays no part. Counts its steps in the checkpoint file.
seed 666 fails with an error of the person, 667 with a mistake of ours, 668 kills its process, 669 never looks at
the pulse; 670 to 673 run out of the memory of a GPU, of the machine, and of the disk in two ways.
"""

import errno
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import Any

from core.errors import UserError
from core.files import write_atomically
from core.runs.disk import check_room
from core.runs.folder import RunFolder


class OutOfMemoryError(RuntimeError):
    """Called as torch's own, torch.cuda.OutOfMemoryError; test_runs_failures.py raises that one."""


OUT_OF = {
    670: OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."),
    671: MemoryError(),
    672: OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
    673: sqlite3.OperationalError("database or disk is full"),
}


def execute(folder: RunFolder, pulse: Callable[[], bool]) -> Iterator[dict[str, Any]]:
    recipe = folder.recipe()
    step = int(folder.checkpoint_file.read_text()) if folder.checkpoint_file.exists() else 0
    yield _write(folder, {"event": "resumed", "step": step} if step else {"event": "started", "time": time.time()})
    if recipe.seed == 666:
        raise UserError("The picture {name} cannot be read.", name="a.png")
    if recipe.seed == 667:
        raise ZeroDivisionError("a secret of ours")
    if recipe.seed in OUT_OF:
        raise OUT_OF[recipe.seed]
    if recipe.seed == 668:
        os.kill(os.getpid(), signal.SIGKILL)
    while step < recipe.epochs:
        if recipe.seed != 669 and pulse():
            yield _write(folder, {"event": "stopped", "step": step})
            return
        time.sleep(recipe.batch_size / 1000)
        step += 1
        yield _write(folder, {"event": "step", "step": step, "pid": os.getpid()})
        check_room(folder.path, 0)
        write_atomically(folder.checkpoint_file, str(step).encode())
    folder.weights_file.write_bytes(b"weights")
    folder.checkpoint_file.unlink()
    yield _write(folder, {"event": "finished", "test_accuracy": 1.0})


def _write(folder: RunFolder, event: dict[str, Any]) -> dict[str, Any]:
    folder.append_event(event)
    return event
