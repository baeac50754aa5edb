"""What the training loops that are compared have in common: pictures, a stopwatch, and how one is asked for a round.

Each runs in a process of its own that stays alive and warm. It reads a line and trains an epoch; its answer is a line
of JSON with the pictures per second. Whatever else its library prints goes to the standard error.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

BATCH = 128
SHIFT = 4  # pixels by which a picture is moved at most, in both directions
LEARNING_RATE, MOMENTUM, WEIGHT_DECAY = 0.1, 0.9, 5e-4
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)  # of CIFAR-10; all normalise, to whatever
_WARM_STEPS = 3  # of an epoch: until then workers start and fetch ahead, which is not counted


class Stopwatch:
    """Pictures per second of an epoch, without its first steps."""

    def __init__(self) -> None:
        self.steps, self.began, self.ended = 0, 0.0, 0.0

    def step(self) -> None:
        """Called at the end of each step."""
        self.steps += 1
        self.ended = time.perf_counter()
        if self.steps == _WARM_STEPS:
            self.began = self.ended

    def speed(self) -> float:
        assert self.steps > _WARM_STEPS, self.steps
        return (self.steps - _WARM_STEPS) * BATCH / (self.ended - self.began)


Round = Callable[[Stopwatch], None]
"""Trains one epoch and tells the stopwatch of every step."""


def pictures(steps: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """As much work as real ones: random bytes (N,32,32,3) and labels (N,) for so many full batches."""
    chance = np.random.default_rng(0)
    count = steps * BATCH
    return chance.integers(256, size=(count, 32, 32, 3), dtype=np.uint8), np.arange(count) % 10


def serve(prepare: Callable[[NDArray[np.uint8], NDArray[np.int64]], Round], **about: Any) -> None:
    """Answer for one contender until nobody asks any more; the only option is the number of steps of an epoch."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    train = prepare(*pictures(int(sys.argv[1])))
    answers.write(json.dumps(about) + "\n")
    for _line in sys.stdin:
        watch = Stopwatch()
        train(watch)
        answers.write(json.dumps({"speed": watch.speed()}) + "\n")
