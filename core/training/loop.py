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
from core.training.batches import Batches, batches_in
from core.training.meter import Meter
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
        self.meter = Meter(task, device)
        plain = Step(task, self.optimizer, device, self.meter)
        self.take_step = ReplayedStep(plain) if replays_steps(device) else plain
        self.rate_at = learning_rate_at(recipe, self.steps)
        self.batches = Batches(task, recipe.batch_size, recipe.seed, device)
        self.step = 0
        self.seconds = 0.0  # of training, over all sittings of an interrupted run
        self.ended_epochs = 0  # validated, too
        self.stale_epochs = 0  # since the validation loss was lowest
        self.lowest_loss = float("inf")
        self.best_accuracy = -1.0
        self.best_epoch = 0
        self.best_weights: dict[str, Tensor] = {}
        self.epoch_sums: list[float] = [0.0, 0.0, 0.0]  # loss, correct, examples

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
            self._train_step(place)
            self.step += 1
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
        self.epoch_sums = [0.0, 0.0, 0.0]
        self.task.begin_epoch(self.step // self.steps_per_epoch)
        self.batches.begin_epoch()
        self.task.model.train()

    def _train_step(self, place: int) -> None:
        """The batch at `place` of the epoch, and the step it leads to."""
        inputs, targets = self.batches.at(place)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate_at(self.step)
        self.take_step(inputs, targets)
        self.meter.counted(len(targets))

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
            **self.batches.state_dict(),
            "torch_rng": torch.get_rng_state(),
            "threads": torch.get_num_threads(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name in self._SCALARS:
            setattr(self, name, state[name])
        self.task.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.best_weights = {name: tensor.to(self.device) for name, tensor in state["best_weights"].items()}
        sums, count = state["meter"]
        self.meter.begin_with(sums.tolist(), count)
        self.batches.load_state_dict(state)
        torch.set_rng_state(state["torch_rng"].cpu())
        if self.device.type == "cpu":  # sums are split by threads, so their number decides the last bits
            torch.set_num_threads(state["threads"])
        self.task.model.train()
