"""Loss, accuracy and speed of training, added up from one reading to the next."""

import time

import torch
from torch import Tensor

from core.training.task import Task

KEPT_VALUES = 2**18  # of logits that wait to be judged: a megabyte


class Meter:
    """Adds up loss and right answers and measures speed; reading it is the only wait for the device.

    On a CPU nothing is waited for, but an operation between two steps of a small net costs five times what it costs
    right after its like: so losses and logits are kept, and added up and judged together. On a GPU they are added up
    there, by kernels that a recorded step contains (`core.training.step`).
    """

    def __init__(self, task: Task, device: torch.device) -> None:
        self.task = task
        self.keeps = device.type == "cpu"
        self.kept: list[tuple[Tensor, Tensor, Tensor]] = []  # loss, logits and targets of batches not judged yet
        self.kept_values = 0
        self.loss_sum = self.right = 0.0  # of those judged, on a CPU
        self.sums = torch.zeros(2, device=device)  # the same elsewhere
        self.count = self.last_count = self.total = 0
        self.started = self.last_read = 0.0

    def start(self) -> None:
        self.started = self.last_read = time.monotonic()

    def add(self, loss: Tensor, logits: Tensor, targets: Tensor) -> None:
        """A batch: its mean loss, a scalar, and what is to be judged. Its examples are counted by `counted`."""
        if not self.keeps:
            self.sums[0].add_(loss * len(targets))
            self.sums[1].add_(self.task.correct(logits, targets))
            return
        self.kept.append((loss, logits, targets))
        self.kept_values += logits.numel()
        if self.kept_values > KEPT_VALUES:
            self._judge()

    def counted(self, examples: int) -> None:
        """So many examples were in a batch: a recorded step cannot count."""
        self.count += examples

    def _judge(self) -> None:
        if not self.kept:
            return
        losses, logits, targets = zip(*self.kept, strict=True)
        for loss, some in zip(torch.stack(losses).tolist(), targets, strict=True):  # in order, however often judged
            self.loss_sum += loss * len(some)
        together = logits[0] if len(logits) == 1 else torch.cat(logits)  # one alone is not copied
        self.right += self.task.correct(together, torch.cat(targets)).item()
        self.kept, self.kept_values = [], 0

    def read(self) -> tuple[float, float, float]:
        """Mean loss, accuracy and examples per second since the last reading."""
        loss_sum, right = self.numbers()
        now = time.monotonic()
        speed = self.count / max(now - self.last_read, 1e-9)
        self.last_count, self.total, self.last_read = self.count, self.total + self.count, now
        loss, accuracy = loss_sum / self.count, right / self.count
        self.begin_with([0.0, 0.0], 0)
        return loss, accuracy, speed

    def numbers(self) -> list[float]:
        """The sums since the last reading: of the loss, of right answers."""
        self._judge()
        return [self.loss_sum, self.right] if self.keeps else self.sums.tolist()

    def begin_with(self, numbers: list[float], count: int) -> None:
        """Go on from these sums; in place, because a recorded step adds to where they lie."""
        if self.keeps:
            self.loss_sum, self.right = numbers
        else:
            self.sums.copy_(torch.tensor(numbers))
        self.count = count

    @property
    def average_speed(self) -> float:
        """Examples per second since the start, evaluation included; what the time left is estimated from."""
        return self.total / max(self.last_read - self.started, 1e-9)
