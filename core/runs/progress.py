"""What has happened in a run, read once for everybody who watches it.

A class watches one run, and a long run has tens of thousands of events: parsing and drawing all of them for each of
thirty browsers each second is what made pages slow. So what is new is read at most twice a second, by whoever asks
first, and of the steps an even choice of some hundreds is kept: a curve has no more pixels. The file keeps all.
"""

import threading
import time
from bisect import insort
from collections import OrderedDict
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any

from core.runs.folder import RunFolder

MOST_STEPS = 600  # kept for the curves; at least half as many when there are more
MOST_RUNS = 16
FRESH_S = 0.5

Event = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Progress:
    """The events of a run up to now, the same object until there are others.

    Of many steps every second, fourth, … is left out, never the last one.
    """

    events: tuple[Event, ...]


@dataclass
class _Reader:
    """Reads one run's events as they come."""

    folder: RunFolder
    offset: int = 0
    events: int = 0  # seen so far; their numbers keep the order
    steps: int = 0  # of them
    stride: int = 1  # of so many steps one is kept
    kept: list[tuple[int, Event]] = field(default_factory=list)
    last_step: tuple[int, Event] | None = None
    read: float = 0.0  # monotonic seconds
    progress: Progress = field(default_factory=lambda: Progress(()))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self, age_s: float) -> Progress:
        with self.lock:
            if time.monotonic() - self.read >= age_s:
                self._read()
                self.read = time.monotonic()
            return self.progress

    def _read(self) -> None:
        again = not self.folder.continues(self.offset)
        if again:  # a resumed run has forgotten what came after its checkpoint
            self.offset, self.events, self.steps, self.stride, self.last_step = 0, 0, 0, 1, None
            self.kept.clear()
        new, self.offset = self.folder.read_events(self.offset)
        for event in new:
            self._take(event)
        if new or again:
            shown = list(self.kept)
            if self.last_step is not None and self.last_step not in shown[-20:]:
                insort(shown, self.last_step, key=itemgetter(0))
            self.progress = Progress(tuple(event for _number, event in shown))

    def _take(self, event: Event) -> None:
        one = (self.events, event)
        self.events += 1
        if self.kept and self.kept[-1][1]["event"] == "preparing":
            self.kept.pop()  # there may be thousands, and only the last one says anything
        if event["event"] != "step":
            self.kept.append(one)
            return
        self.last_step = one
        if self.steps % self.stride == 0:
            self.kept.append(one)
        self.steps += 1
        if self.steps >= self.stride * MOST_STEPS:
            self.stride *= 2
            steps = [number for number, kept in self.kept if kept["event"] == "step"]
            dropped = set(steps[1::2])
            self.kept = [(number, kept) for number, kept in self.kept if number not in dropped]


_readers: OrderedDict[Path, _Reader] = OrderedDict()
_lock = threading.Lock()


def progress(folder: RunFolder, active: bool = True) -> Progress:
    """What has happened in a run: of one that is active at most half a second old, else all of it."""
    with _lock:
        reader = _readers.setdefault(folder.path, _Reader(folder))
        _readers.move_to_end(folder.path)
        while len(_readers) > MOST_RUNS:
            _readers.popitem(last=False)
    return reader.now(FRESH_S if active else 0.0)
