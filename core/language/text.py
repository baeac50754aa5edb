"""A model of any text: the task that the one training loop trains, in the queue and on the command line alike."""

import math
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from core.device import prepare
from core.errors import UserError
from core.language import texts
from core.language.generate import generate
from core.language.model import LanguageModel, Size
from core.language.text_recipe import TextRecipe
from core.language.tokens import Tokens
from core.training.loop import Event, Trainer
from core.training.recipe import Recipe
from core.training.task import Batch, Score, Task

VALIDATION_SHARE, VALIDATION_WINDOWS = 0.1, 512
LOOKS = 12  # at the validation part, each with a sample; closer together at the beginning, where most happens
LOOK_WINDOWS = 64  # of the validation part; all of them at the end
SAMPLE_TOKENS, SAMPLE_TEMPERATURE = 160, 0.8
# A smaller model trains on one thread: two wait for each other so often that beside other work a step took ten times
# as long (33 ms on one, 370 to 500 ms on two, two layers of width 64 on two busy cores).
FEW_PARAMETERS = 400_000
TRIAL_STEPS = 20  # to see how fast this machine is, and so how many steps the time allows


def build(recipe: Recipe, device: torch.device, say: Any = lambda *_: None) -> "TextTask":
    """Load a recipe's text, find its tokens and initialise its model."""
    assert isinstance(recipe, TextRecipe)
    text = texts.load(recipe.source)
    say("tokens", 0.3)
    task = TextTask(recipe, text, device)
    if device.type == "cpu" and sum(p.numel() for p in task.model.blocks.parameters()) < FEW_PARAMETERS:
        torch.set_num_threads(1)
    return task


class TextTask(Task):
    """Predict each token from those before it, in windows of the text that begin anywhere."""

    model: LanguageModel

    def __init__(self, recipe: TextRecipe, text: str, device: torch.device) -> None:
        """The last tenth of the text is for validation."""
        self.recipe, self.device = recipe, device
        self.vocabulary = Tokens.of(text, recipe.tokens, recipe.vocabulary)
        cut = int(len(text) * (1 - VALIDATION_SHARE))
        training, validation = (torch.tensor(self.vocabulary.encode(part)) for part in (text[:cut], text[cut:]))
        self.length = min(recipe.context, len(training) - 2, len(validation) - 1)
        if self.length < 8:
            raise UserError("So few tokens are left of this text that nothing can be held back. Make it longer.")
        self.characters_per_token = len(text[cut:]) / len(validation)
        self.start = self.vocabulary.encode(text[cut : cut + 1])
        size = len(self.vocabulary.vocabulary)
        self.baselines = _baselines(training, validation, size)
        self.training = training.to(device)
        places = torch.linspace(0, len(validation) - self.length - 1, VALIDATION_WINDOWS).long()
        self.held_out = _windows(validation, places, self.length).to(device)
        self.num_train = recipe.steps * recipe.batch_size
        self.looks = look_steps(recipe.steps)
        torch.manual_seed(recipe.seed)
        self.model = LanguageModel(
            Size(size, recipe.context, recipe.width, recipe.heads, recipe.layers, recipe.smeared_keys)
        ).to(device)

    def batch(self, indices: Tensor, generator: torch.Generator) -> Batch:
        last = len(self.training) - self.length
        places = torch.randint(last, indices.shape, generator=generator, device=self.device)
        windows = _windows(self.training, places, self.length)
        return windows[:, :-1], windows[:, 1:]

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(
            logits.flatten(0, 1), targets.flatten(), label_smoothing=self.recipe.label_smoothing
        )

    def correct(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Windows' worth of right guesses, of the last token of each: the whole window would cost time."""
        return (logits[:, -1].argmax(1) == targets[:, -1]).sum()

    def evaluate(self, part: str) -> Score:
        """On the part held back. Nothing is chosen by it, so it serves as validation and as test."""
        del part
        return self._score(self.held_out)

    def remarks(self, step: int) -> Event:
        """Now and then: the loss on a part of what is held back, and what the model writes by now."""
        if step not in self.looks:
            return {}
        self.model.eval()
        sample = self.write()
        score = self._score(self.held_out[:: max(1, VALIDATION_WINDOWS // LOOK_WINDOWS)])
        self.model.train()
        return {"validation_loss": score.loss, "validation_accuracy": score.accuracy, "sample": sample}

    def write(self) -> str:
        """The first character of the part held back, and what the model goes on with."""
        tokens, room = list(self.start), self.model.size.context
        while len(tokens) < SAMPLE_TOKENS:
            seen = tokens[-(room // 2) :]  # when the context is full, it goes on from the later half of it
            seed = self.recipe.seed + len(tokens)
            tokens += generate(self.model, seen, room - len(seen), temperature=SAMPLE_TEMPERATURE, seed=seed)
        return self.vocabulary.decode(tokens[:SAMPLE_TOKENS])

    def metadata(self) -> dict[str, Any]:
        return {
            "task": self.recipe.task,
            "source": self.recipe.source,
            "dataset": self.recipe.source,
            "dataset_version": f"{len(self.training):,}",
            "num_train": len(self.training),
            "characters_per_token": self.characters_per_token,
            **self.baselines,
            "parameters": sum(p.numel() for p in self.model.parameters()),
            "parameters_inside": sum(p.numel() for p in self.model.blocks.parameters()),
            "size": vars(self.model.size),
            "recipe": self.recipe.to_mapping(),
            "tokenizer": self.vocabulary.to_json(),
        }

    @torch.no_grad()
    def _score(self, held_out: Tensor) -> Score:
        score = Score()
        for windows in held_out.split(128):
            logits, targets = self.model(windows[:, :-1]), windows[:, 1:]
            score.loss_sum += float(F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum"))
            score.correct += int((logits.argmax(2) == targets).sum())
            score.count += targets.numel()
        return score


def look_steps(steps: int) -> set[int]:
    """The steps at which to look, in equal factors from the first to the last."""
    return {round(steps ** (k / (LOOKS - 1))) for k in range(LOOKS)}


def learn_text(text: str, seconds: float, seed: int) -> Iterator[Event]:
    """Train for about so many seconds; yields the text's facts, steps now and then, and the end with a sample."""
    began = time.monotonic()
    device = torch.device("cpu")
    prepare(device)
    recipe = TextRecipe.preset("three-minutes", seed=seed, steps=TRIAL_STEPS)
    trial = TextTask(recipe, text, device)
    yield {"event": "text", "characters": len(text), "vocabulary": trial.model.size.vocabulary, **trial.baselines}
    pace = quickest(trial)
    recipe = replace(recipe, steps=max(TRIAL_STEPS, int((seconds - (time.monotonic() - began)) / pace * 0.97)))
    task = TextTask(recipe, text, device)
    last: Event = {}
    for event in Trainer(task, recipe, device).events():
        last = event
        if event["event"] == "step":
            yield event
    yield {
        "event": "finished", "validation_loss": last["test_loss"],
        "bits_per_character": last["test_loss"] / math.log(2),
        "accuracy": last["test_accuracy"], "steps": recipe.steps, "parameters": task.metadata()["parameters"],
        "seconds": round(time.monotonic() - began, 1), "sample": task.write(),
    }  # fmt: skip


def seconds_per_step(task: TextTask) -> float:
    """How long a step takes on this machine, from a trial: the median between its steps, looks left out."""
    task.looks = set()
    trainer = Trainer(task, task.recipe, task.device)
    times = [time.monotonic() for event in trainer.events() if event["event"] == "step"]
    return statistics.median(later - earlier for earlier, later in pairwise(times))


def quickest(task: TextTask) -> float:
    """Seconds a step takes on as many threads as are quickest here, one or all; they are set for what follows."""
    every = torch.get_num_threads()
    times = {}
    for threads in {1, every}:
        torch.set_num_threads(threads)
        times[threads] = seconds_per_step(task)
    best = min(times, key=times.__getitem__)
    torch.set_num_threads(best)
    return times[best]


def _baselines(training: Tensor, validation: Tensor, size: int) -> dict[str, float]:
    """What guessing costs on the part held back, in nats a token: evenly, and by how often each token occurs."""
    shares = (torch.bincount(training, minlength=size) + 1.0) / (len(training) + size)  # one more each: none is nought
    return {"uniform_loss": math.log(size), "unigram_loss": float(-shares.log()[validation].mean())}


def _windows(tokens: Tensor, places: Tensor, length: int) -> Tensor:
    """(B, length + 1) stretches of the text that begin at these places."""
    return tokens[places[:, None] + torch.arange(length + 1, device=tokens.device)]
