"""A run's checkpoints: from the last one that is whole, it goes on after whatever happens to its process."""

import contextlib
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

from core.files import replacing
from core.runs.disk import check_room
from core.runs.folder import RunFolder
from core.training.loop import Trainer
from core.training.weights import state_parts


class Checkpoints:
    """Writes checkpoints, each of which is whole or not there, beside the training as far as that goes.

    The system takes the bytes at once, before a weight changes; waiting until the disk has them, which is the longer
    part, is left to a thread. Only then does the new checkpoint take the place of the old one. Leaving waits for it.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self.landing: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.thread.shutdown()

    def save(self, trainer: Trainer) -> None:
        """Write down where a run stands, with the size of the metrics that belong to it. Raises OSError, also when
        the one before came to nothing."""
        self.wait()
        state: dict[str, Any] = {"trainer": trainer.state_dict(), "events_size": self.folder.events_size()}
        parts = state_parts(state)
        check_room(self.folder.path, sum(len(part) for part in parts))
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(replacing(self.folder.checkpoint_file))
            file.writelines(parts)
            file.flush()
            self.landing = self.thread.submit(stack.pop_all().close)

    def wait(self) -> None:
        """Until the checkpoint that was written last is on the disk. Raises OSError when it cannot be put there."""
        landing, self.landing = self.landing, None
        if landing is not None:
            landing.result()
