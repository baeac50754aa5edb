"""How documents become something that the one training loop can train on."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from core.language.model import LanguageModel
from core.language.recipe import LanguageRecipe
from core.training.loop import Event, Trainer
from core.training.task import Batch, Score, Task

Penalty = Callable[[LanguageModel], Tensor]


class Stopped(Exception):  # noqa: N818  nothing went wrong
    """The run was asked to stop in the middle of a training."""


BATCH = 32  # of what comes after pre-training


class DocumentTask(Task):
    """Predict every token of a document from those before it; right or wrong counts for the labels only."""

    model: LanguageModel

    def __init__(
        self,
        model: LanguageModel,
        train: Tensor,
        validation: Tensor,
        penalty: Penalty | None = None,
        label_smoothing: float = 0.0,
    ) -> None:
        """Documents are (N, T) int64; `penalty` is added to the training loss."""
        device = next(model.parameters()).device
        self.model, self.penalty, self.label_smoothing = model, penalty, label_smoothing
        self.train, self.validation = train.to(device), validation.to(device)
        self.num_train = len(train)

    def batch(self, indices: Tensor, generator: torch.Generator) -> Batch:
        del generator
        documents = self.train[indices.to(self.train.device)]
        return documents[:, :-1], documents[:, 1:]

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        loss = F.cross_entropy(
            logits.flatten(0, 1), targets.flatten(), label_smoothing=self.label_smoothing
        )
        return loss if self.penalty is None else loss + self.penalty(self.model)

    def correct(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Documents' worth of right labels: the sum over documents of the share of right ones."""
        return (logits.argmax(2) == targets)[:, 1::2].double().mean(1).sum()

    @torch.no_grad()
    def evaluate(self, part: str) -> Score:
        del part  # documents are made, not scarce: validation and test come from the same source
        logits = self.model(self.validation[:, :-1])
        targets = self.validation[:, 1:]
        right = (logits.argmax(2) == targets)[:, 1::2]
        loss = float(F.cross_entropy(logits.flatten(0, 1), targets.flatten()))
        return Score(loss * right.numel(), int(right.sum()), right.numel())

    def metadata(self) -> dict[str, Any]:
        return {"task": "language", "parameters": sum(p.numel() for p in self.model.parameters())}


@dataclass(frozen=True)
class Trained:
    """What a training cost, and the last thing it said."""

    seconds: float
    steps: int
    finished: Event
    memory: int  # bytes of the weights, their gradients and what the optimiser remembers of them


def train(
    model: LanguageModel,
    documents: Tensor,
    validation: Tensor,
    recipe: LanguageRecipe,
    *,
    penalty: Penalty | None = None,
    pulse: Callable[[], bool] = lambda: False,
    say: Callable[[Event], None] = lambda _event: None,
) -> Trained:
    """Train a model in place on documents (N, T), with the loop that trains everything else here.

    Raises `Stopped` when `pulse` answers True at a step.
    """
    began = time.monotonic()
    task = DocumentTask(model, documents, validation, penalty, recipe.label_smoothing)
    trainer = Trainer(task, recipe, next(model.parameters()).device, pulse)
    last: Event = {}
    for event in trainer.events():
        say(event)
        last = event
    if last["event"] == "stopped":
        raise Stopped
    return Trained(time.monotonic() - began, trainer.step, last, _memory(trainer))


def _memory(trainer: Trainer) -> int:
    """What a training keeps beside its activations, counted tensor by tensor."""
    parameters = list(trainer.task.model.parameters())
    kept = [*parameters, *(p.grad for p in parameters if p.grad is not None)]
    kept += [value for state in trainer.optimizer.state.values() for value in state.values() if torch.is_tensor(value)]
    return sum(tensor.nbytes for tensor in kept)


def tuning(seed: int, learning_rate: float, **changes: Any) -> LanguageRecipe:
    """The recipe of a short training after pre-training."""
    values = {"seed": seed, "learning_rate": learning_rate, "batch_size": BATCH, **changes}
    return LanguageRecipe.preset("a-minute", **values)


@torch.no_grad()
def label_accuracy(model: LanguageModel, documents: Tensor) -> float:
    """Share of right first labels: each document asks once, with no example before the word."""
    model.eval()
    logits = model(documents[:, :2].to(next(model.parameters()).device))
    return float((logits[:, 1].argmax(1).cpu() == documents[:, 2]).float().mean())
