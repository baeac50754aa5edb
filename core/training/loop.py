"""The one training loop. It yields what happens and writes nothing: whoever calls it decides what to keep.

Data → model → initialisation come from the `Task`; here are the other three of the six steps: training, validation
and, once, at the very end, the test.
"""

import copy
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from core.device import replays_steps
from core.errors import UserError
from core.training.batches import batch_at, batches_in
from core.training.optimizers import learning_rate_at, make_optimizer
from core.training.recipe import Recipe
from core.training.step import ReplayedStep, Step
from core.training.task import Task

Event = dict[str, Any]


class Trainer:
    """Trains a task by a recipe. Between two events its state can be saved, and loaded into another one."""

    def __init__(
        self, task: Task, recipe: Recipe, device: torch.device, pulse: Callable[[], bool] = lambda: False
    ) -> None:
        """`pulse` is called at every step; when it answers True the run stops there."""
        self.task, self.recipe, self.device, self.pulse = task, recipe, device, pulse
        self.steps_per_epoch = batches_in(task.num_train, recipe.batch_size)
        self.steps = self.steps_per_epoch * recipe.epochs
        self.log_every = self._steps_between_readings()
        self.optimizer = make_optimizer(task.model, recipe)
        self.parameters = list(task.model.parameters())  # found once: looking through a model takes its time
        plain = Step(task, self.optimizer, device)
        self.take_step = ReplayedStep(plain) if replays_steps(device) else plain
        self.rate_at = learning_rate_at(recipe, self.steps)
        # One generator draws the order of the examples, one their random variation, whatever the model draws.
        self.order_generator = torch.Generator().manual_seed(recipe.seed)
        self.variation_generator = torch.Generator(device).manual_seed(recipe.seed + 1)
        self.order = torch.empty(0, dtype=torch.int64)  # (num_train,) this epoch's permutation, where the task wants it
        self.step = 0
        self.seconds = 0.0  # of training, over all sittings of an interrupted run
        self.ended_epochs = 0  # validated, too
        self.stale_epochs = 0  # since the validation loss was lowest
        self.lowest_loss = float("inf")
        self.best_accuracy = -1.0
        self.best_epoch = 0
        self.best_weights: dict[str, Tensor] = {}
        self.epoch_sums: list[float] = [0.0, 0.0, 0.0]  # loss, correct, examples
        self.meter = _Meter(device)

    def events(self) -> Iterator[Event]:
        """Train to the end, or until stopped. The last event is "finished" or "stopped"."""
        started = time.monotonic() - self.seconds
        self.meter.start()
        self.task.begin_epoch(self.step // self.steps_per_epoch)  # a resumed run begins within one
        while True:
            if self.ended_epochs < self.step // self.steps_per_epoch:  # also when a checkpoint came between
                yield self._end_epoch()
                self.seconds = time.monotonic() - started
            if self.step >= self.steps or self._out_of_patience():
                break
            if self.pulse():
                yield {"event": "stopped", "step": self.step}
                return
            place = self.step % self.steps_per_epoch
            if place == 0:
                self._begin_epoch()
            loss, correct, count = self._train_step(place)
            self.step += 1
            self.meter.add(loss, correct, count)
            self.seconds = time.monotonic() - started
            epoch_ends = place + 1 == self.steps_per_epoch
            remarks = self.task.remarks(self.step)
            if remarks or self.step % self.log_every == 0 or epoch_ends or self.step == 1:
                yield self._step_event() | remarks
        yield self._finish()

    def _steps_between_readings(self) -> int:
        """Twenty readings an epoch; on a GPU, whose epochs are short and which each reading waits for, five. Of many
        short epochs fewer are enough: more than a thousand in a run no curve shows."""
        an_epoch = self.steps_per_epoch // (20 if self.device.type == "cpu" else 5)
        return min(50, max(1, an_epoch, self.steps // 1000))

    def _begin_epoch(self) -> None:
        # Drawn on the CPU, so that it is the same everywhere; moved once, for each move waits for the device.
        order = torch.randperm(self.task.num_train, generator=self.order_generator)
        self.order = order.to(self.task.indices_on)
        self.epoch_sums = [0.0, 0.0, 0.0]
        self.task.begin_epoch(self.step // self.steps_per_epoch)
        self.task.model.train()

    def _train_step(self, place: int) -> tuple[Tensor, Tensor, int]:
        """The batch at `place` of the epoch, and the step it leads to: loss, right answers, examples."""
        indices = batch_at(self.order, place, self.recipe.batch_size)
        inputs, targets = self.task.batch(indices, self.variation_generator)
        if place + 1 < self.steps_per_epoch:
            self.task.expect(batch_at(self.order, place + 1, self.recipe.batch_size))
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate_at(self.step)
        loss, correct = self.take_step(inputs, targets)
        return loss, correct, len(indices)

    def _step_event(self) -> Event:
        meter = self.meter
        loss, accuracy, speed = meter.read()
        self.epoch_sums[0] += loss * meter.last_count
        self.epoch_sums[1] += accuracy * meter.last_count
        self.epoch_sums[2] += meter.last_count
        if not math.isfinite(loss):
            raise UserError(
                "The loss became infinite or undefined at step {step}: the learning rate {learning_rate} is too large. "
                "Try a tenth of it.",
                step=self.step,
                learning_rate=self.recipe.learning_rate,
            )
        examples_left = (self.steps - self.step) * self.recipe.batch_size
        return {
            "event": "step",
            "step": self.step,
            "epoch": self.step / self.steps_per_epoch,
            "loss": loss,
            "accuracy": accuracy,
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "gradient_norm": self._gradient_norm(),
            "examples_per_second": speed,
            "seconds_left": examples_left / meter.average_speed,
        }

    def _gradient_norm(self) -> float:
        """The length of all gradients together, √Σg². All tensors in one call, and read once: a small net's step is
        short, and this is a part of it."""
        grads = [p.grad for p in self.parameters if p.grad is not None]
        return math.hypot(*torch.stack(torch._foreach_norm(grads)).tolist())

    def _end_epoch(self) -> Event:
        score = self.task.evaluate("validation")
        epoch = self.ended_epochs = self.step // self.steps_per_epoch
        best = score.accuracy > self.best_accuracy
        if best:
            self.best_accuracy, self.best_epoch = score.accuracy, epoch
            if self.recipe.keep_best:
                self.best_weights = copy.deepcopy(self.task.model.state_dict())
        self.stale_epochs = 0 if score.loss < self.lowest_loss else self.stale_epochs + 1
        self.lowest_loss = min(self.lowest_loss, score.loss)
        loss_sum, correct, count = self.epoch_sums
        return {
            "event": "epoch",
            "epoch": epoch,
            "train_loss": loss_sum / count,
            "train_accuracy": correct / count,
            "validation_loss": score.loss,
            "validation_accuracy": score.accuracy,
            "best": best,
            "seconds": self.seconds,
        }

    def _out_of_patience(self) -> bool:
        return 0 < self.recipe.early_stopping <= self.stale_epochs

    def _finish(self) -> Event:
        """Open the sealed test part, once, with the weights that were chosen on the validation part."""
        if self.recipe.keep_best and self.best_weights:
            self.task.model.load_state_dict(self.best_weights)
        score = self.task.evaluate("test")
        return {
            "event": "finished",
            "test_accuracy": score.accuracy,
            "test_loss": score.loss,
            "tested_epoch": self.best_epoch if self.recipe.keep_best else self.step // self.steps_per_epoch,
            "validation_accuracy": self.best_accuracy,
            "seconds": self.seconds,
            "examples_per_second": self.meter.average_speed,
            "device": self.device.type,
        }

    _SCALARS = (
        "step", "seconds", "ended_epochs", "stale_epochs", "lowest_loss", "best_accuracy", "best_epoch", "epoch_sums",
    )  # fmt: skip

    def state_dict(self) -> dict[str, Any]:
        """All that decides how the run goes on: loaded into a new trainer it ends, on a CPU, with the same bits."""
        return {
            **{name: getattr(self, name) for name in self._SCALARS},
            "model": self.task.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "best_weights": self.best_weights,
            "meter": (torch.tensor(self.meter.numbers(), dtype=torch.float64), self.meter.count),
            "order": self.order,
            "order_generator": self.order_generator.get_state(),
            "variation_generator": self.variation_generator.get_state(),
            "torch_rng": torch.get_rng_state(),
            "threads": torch.get_num_threads(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name in self._SCALARS:
            setattr(self, name, state[name])
        self.task.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.best_weights = {name: tensor.to(self.device) for name, tensor in state["best_weights"].items()}
        sums, self.meter.count = state["meter"]
        self.meter.sums = sums.tolist()
        self.order = state["order"].to(self.task.indices_on)
        self.order_generator.set_state(state["order_generator"].cpu())
        self.variation_generator.set_state(state["variation_generator"].cpu())
        torch.set_rng_state(state["torch_rng"].cpu())
        if self.device.type == "cpu":  # sums are split by threads, so their number decides the last bits
            torch.set_num_threads(state["threads"])
        self.task.model.train()


class _Meter:
    """Adds up loss and accuracy and measures speed; reading it is the only wait for the device.

    On a CPU nothing is waited for, so plain numbers are added up: between two steps, when the network has filled the
    caches with its own, an operation on a tensor takes ten times as long as it does again and again.
    """

    def __init__(self, device: torch.device) -> None:
        self.at_hand = device.type == "cpu"
        self.sums: list[Tensor | float] = [0.0, 0.0]  # of the loss, of right answers; on a GPU they are tensors there
        self.count = self.last_count = self.total = 0
        self.started = self.last_read = 0.0

    def start(self) -> None:
        self.started = self.last_read = time.monotonic()

    def add(self, loss: Tensor, correct: Tensor, count: int) -> None:
        self.sums[0] += (loss.item() if self.at_hand else loss) * count
        self.sums[1] += correct.item() if self.at_hand else correct
        self.count += count

    def read(self) -> tuple[float, float, float]:
        """Mean loss, accuracy and examples per second since the last reading."""
        loss_sum, correct = self.numbers()
        now = time.monotonic()
        speed = self.count / max(now - self.last_read, 1e-9)
        self.last_count, self.total, self.last_read = self.count, self.total + self.count, now
        loss, accuracy = loss_sum / self.count, correct / self.count
        self.sums = [0.0, 0.0]
        self.count = 0
        return loss, accuracy, speed

    def numbers(self) -> list[float]:
        """The sums since the last reading."""
        return [float(value) for value in self.sums]

    @property
    def average_speed(self) -> float:
        """Examples per second since the start, evaluation included; what the time left is estimated from."""
        return self.total / max(self.last_read - self.started, 1e-9)
