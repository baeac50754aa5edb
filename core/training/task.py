"""What the training loop has to know of the thing it trains: nothing about pictures, nothing about language."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

MOST_TOGETHER = 16  # more of them save no more time

Batch = tuple[Tensor, Tensor]
"""Inputs and targets, on the device."""


@dataclass
class Score:
    """Sums over examples, so that parts add up exactly."""

    loss_sum: float = 0.0
    correct: int = 0
    count: int = 0

    @property
    def loss(self) -> float:
        return self.loss_sum / max(1, self.count)

    @property
    def accuracy(self) -> float:
        return self.correct / max(1, self.count)


class Task(ABC):
    """A model, its data and its loss, all on one device."""

    model: nn.Module
    num_train: int  # examples in the training part
    indices_on = torch.device("cpu")  # where `batches` and `expect` want their indices: where the data lie

    def begin_epoch(self, epoch: int) -> None:
        """Told which epoch the next batches are of, counted from 0; also when a run is resumed within one."""
        del epoch

    @abstractmethod
    def batch(self, indices: Tensor, generator: torch.Generator) -> Batch:
        """The batch of these training examples, (B,) int64; random variation is drawn from `generator`."""

    def batches(self, several: Sequence[Tensor], generator: torch.Generator) -> list[Batch]:
        """The batches of these examples, (B,) int64 each, with the draws that they have one after the other."""
        return [self.batch(indices, generator) for indices in several]

    def batches_together(self, batch_size: int) -> int:
        """How many batches, at least one, are made one right after the other: as many as take a few megabytes."""
        del batch_size
        return MOST_TOGETHER

    def expect(self, indices: Tensor) -> None:
        """These examples, (N,) int64, come next: a task whose data are far begins to fetch them."""
        del indices

    @abstractmethod
    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The training loss, a scalar: the mean over the batch."""

    @abstractmethod
    def correct(self, logits: Tensor, targets: Tensor) -> Tensor:
        """How many of the batch are right, a scalar."""

    @abstractmethod
    def evaluate(self, part: str) -> Score:
        """Loss and accuracy on "validation" or "test", the model in evaluation mode, nothing random."""

    @abstractmethod
    def metadata(self) -> dict[str, Any]:
        """What must be known to use the weights later, as JSON: kept in the header of the weights file."""

    def remarks(self, step: int) -> dict[str, Any]:
        """What else to tell with this step's figures, asked after every step; {} (mostly) for nothing.

        Depends on nothing but the step and the weights: a resumed run says the same.
        """
        del step
        return {}

    def write_report(self, folder: Path) -> None:
        """Write what the pages show of a finished run (predictions on the test part); called once, at the end."""
        del folder
