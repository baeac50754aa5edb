"""How documents become something that the one training loop can train on."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from core.language.model import LanguageModel
from core.training.loop import Event, Trainer
from core.training.recipe import Recipe
from core.training.task import Score, Task

Penalty = Callable[[LanguageModel], Tensor]


@dataclass(frozen=True, kw_only=True)
class LanguageRecipe(Recipe):
    """The recipe of a language model: the defaults are those of its pre-training."""

    task: ClassVar[str] = "language"


PRETRAINING: dict[str, Any] = {
    "optimizer": "adamw", "learning_rate": 4e-3, "schedule": "one-cycle", "batch_size": 64, "epochs": 1,
    "weight_decay": 0.01, "keep_best": False,
}  # fmt: skip


class DocumentTask(Task):
    """Predict every token of a document from those before it; right or wrong counts for the labels only."""

    model: LanguageModel

    def __init__(
        self, model: LanguageModel, train: Tensor, validation: Tensor, penalty: Penalty | None = None
    ) -> None:
        """Documents are (N, T) int64; `penalty` is added to the training loss."""
        device = next(model.parameters()).device
        self.model, self.penalty = model, penalty
        self.train, self.validation = train.to(device), validation.to(device)
        self.num_train = len(train)

    def batch(self, indices: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        del generator
        documents = self.train[indices]
        return documents[:, :-1], documents[:, 1:]

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
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


def train(
    model: LanguageModel,
    documents: Tensor,
    validation: Tensor,
    *,
    seed: int,
    penalty: Penalty | None = None,
    say: Callable[[Event], None] = lambda _event: None,
    **recipe: Any,
) -> Trained:
    """Train a model in place on documents (N, T), with the loop that trains everything else here."""
    began = time.monotonic()
    task = DocumentTask(model, documents, validation, penalty)
    trainer = Trainer(task, LanguageRecipe(seed=seed, **{**PRETRAINING, **recipe}), next(model.parameters()).device)
    last: Event = {}
    for event in trainer.events():
        say(event)
        last = event
    return Trained(time.monotonic() - began, trainer.step, last)


@torch.no_grad()
def label_accuracy(model: LanguageModel, documents: Tensor) -> float:
    """Share of right first labels: each document asks once, with no example before the word."""
    model.eval()
    logits = model(documents[:, :2].to(next(model.parameters()).device))
    return float((logits[:, 1].argmax(1).cpu() == documents[:, 2]).float().mean())
