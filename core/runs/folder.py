"""A run is a folder, and the folder is the truth: what is not written here did not happen.

Knows no torch. One process writes a run's folder at a time; anybody may read it.
"""

import contextlib
import errno
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core import tasks
from core.files import write_atomically
from core.training.recipe import Recipe


class RunFolder:
    """The files of one run, and how they are written so that a power cut leaves them whole."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.recipe_file = self.path / "recipe.json"
        self.metrics_file = self.path / "metrics.jsonl"  # one event a line
        self.state_file = self.path / "state.json"  # what the store knows of the run
        self.heartbeat_file = self.path / "heartbeat"  # touched while a worker is alive
        self.cancel_file = self.path / "cancel"  # its presence asks the worker to stop
        self.checkpoint_file = self.path / "checkpoint.safetensors"
        self.life_file = self.path / "life.json"  # of a language model: what its nodes have come to
        self.weights_file = self.path / "weights.safetensors"
        self.report_file = self.path / "report.npz"

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def can_go_on(self) -> bool:
        """Whether there is something from which an interrupted run goes on."""
        return self.saved is not None

    @property
    def saved(self) -> int | None:
        """When that from which it goes on was written (nanoseconds), or None."""
        files = [file for file in (self.checkpoint_file, self.life_file) if file.exists()]
        return max((file.stat().st_mtime_ns for file in files), default=None)

    def create(self, recipe: Recipe) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        write_atomically(self.recipe_file, recipe.to_json().encode())

    def recipe(self) -> Recipe:
        return tasks.recipe_from_json(self.recipe_file.read_text(encoding="utf-8"))

    def append_event(self, event: Mapping[str, Any]) -> None:
        """Add one line to the metrics. One `os.write` a line: a killed process leaves no half of a buffer."""
        line = (json.dumps(event, ensure_ascii=False, allow_nan=True) + "\n").encode()
        fd = os.open(self.metrics_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            written = os.write(fd, line)
            if written < len(line):  # the disk is full: half a line would spoil the next one
                os.ftruncate(fd, os.fstat(fd).st_size - written)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.metrics_file))
        finally:
            os.close(fd)

    def read_events(self, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
        """The events after a byte offset, and the offset behind the last whole line."""
        try:
            with self.metrics_file.open("rb") as file:
                file.seek(offset)
                text = file.read()
        except FileNotFoundError:
            return [], 0
        whole = text[: text.rfind(b"\n") + 1]
        return list(_parsed(whole)), offset + len(whole)

    def continues(self, offset: int) -> bool:
        """Whether a line of the metrics still ends at this offset."""
        if offset == 0:
            return True
        try:
            with self.metrics_file.open("rb") as file:
                file.seek(offset - 1)
                return file.read(1) == b"\n"
        except FileNotFoundError:
            return False

    def truncate_events(self, size: int) -> None:
        """Forget the events after a byte offset: a resumed run writes them again."""
        if self.metrics_file.exists() and self.metrics_file.stat().st_size > size:
            os.truncate(self.metrics_file, size)

    def events_size(self) -> int:
        return self.metrics_file.stat().st_size if self.metrics_file.exists() else 0

    def read_state(self) -> dict[str, Any]:
        try:
            state = json.loads(self.state_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return state if isinstance(state, dict) else {}

    def write_state(self, state: Mapping[str, Any]) -> None:
        write_atomically(self.state_file, json.dumps(state, ensure_ascii=False).encode())

    def beat(self) -> None:
        self.heartbeat_file.touch()

    def ask_to_stop(self) -> None:
        self.cancel_file.touch()

    def asked_to_stop(self) -> bool:
        return self.cancel_file.exists()

    def clear_stop(self) -> None:
        self.cancel_file.unlink(missing_ok=True)


def _parsed(lines: bytes) -> Iterator[dict[str, Any]]:
    for line in lines.splitlines():
        with contextlib.suppress(ValueError):  # a line that a disk error broke is not worth losing the others
            event = json.loads(line)
            if isinstance(event, dict):
                yield event
