"""How an epoch is cut into batches, and how they are made.

A single example that is left over joins the batch before it: batch normalisation has nothing to compare one value
with, and torch refuses it.
"""

from typing import Any

import torch
from torch import Tensor

from core.training.task import Batch, Task


def batches_in(examples: int, batch_size: int) -> int:
    """How many batches an epoch of so many examples has."""
    whole, left = divmod(examples, batch_size)
    return whole if left == 0 or (left == 1 and whole) else whole + 1


def batch_at(order: Tensor, place: int, batch_size: int) -> Tensor:
    """The examples (B,) of the batch at `place`, from 0, of an epoch's order (N,)."""
    last = place + 1 == batches_in(len(order), batch_size)
    return order[place * batch_size :] if last else order[place * batch_size : (place + 1) * batch_size]


class Batches:
    """An epoch's batches in random order, of which a few are always made together.

    A step of the network fills the caches with its own; what runs next, once, takes five times as long as what runs
    again and again. So a small net's next batches are made one right after the other. A stored state knows nothing of
    batches that are made and not yet used: its generator stands where it stood before them, and they are made anew.
    """

    def __init__(self, task: Task, batch_size: int, seed: int, device: torch.device) -> None:
        self.task, self.batch_size = task, batch_size
        # One generator draws the order of the examples, one their random variation, whatever the model draws.
        self.order_generator = torch.Generator().manual_seed(seed)
        self.variation_generator = torch.Generator(device).manual_seed(seed + 1)
        self.order = torch.empty(0, dtype=torch.int64)  # (num_train,) this epoch's permutation, where the task wants it
        self.together = task.batches_together(batch_size)
        self.made: dict[int, Batch] = {}  # by their place in the epoch
        self.before_made = self.variation_generator.get_state()

    def begin_epoch(self) -> None:
        # Drawn on the CPU, so that it is the same everywhere; moved once, for each move waits for the device.
        order = torch.randperm(self.task.num_train, generator=self.order_generator)
        self.order = order.to(self.task.indices_on)
        self.made = {}

    def at(self, place: int) -> Batch:
        """Inputs and targets of the batch at this place of the epoch; asked for one after the other."""
        if place not in self.made:
            self._make(place)
        return self.made.pop(place)

    def _make(self, place: int) -> None:
        """Those that are made together with the batch at `place`, from it on. A resumed run may begin among them."""
        first = place - place % self.together
        self.before_made = self.variation_generator.get_state()
        examples = self._examples(first)
        made = self.task.batches(examples, self.variation_generator)
        self.made = {first + k: batch for k, batch in enumerate(made) if first + k >= place}
        coming = self._examples(first + self.together)
        if coming:
            self.task.expect(torch.cat(coming))

    def _examples(self, first: int) -> list[Tensor]:
        """Which examples, (B,) each, are in the batches that are made together from place `first` on."""
        end = min(first + self.together, batches_in(len(self.order), self.batch_size))
        return [batch_at(self.order, place, self.batch_size) for place in range(first, end)]

    def state_dict(self) -> dict[str, Tensor]:
        return {
            "order": self.order,
            "order_generator": self.order_generator.get_state(),
            "variation_generator": self.before_made if self.made else self.variation_generator.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.made = {}
        self.order = state["order"].to(self.task.indices_on)
        self.order_generator.set_state(state["order_generator"].cpu())
        self.variation_generator.set_state(state["variation_generator"].cpu())
