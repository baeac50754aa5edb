"""A model of the characters of any text, trained for as long as one has time."""

import math
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from core.errors import UserError
from core.language.generate import generate
from core.language.model import LanguageModel, Size
from core.language.recipe import LanguageRecipe
from core.training.loop import Event, Trainer
from core.training.task import Score, Task

MOST_BYTES = 5_000_000
FEWEST_CHARACTERS = 1_000
CONTEXT, WIDTH, HEADS, LAYERS, BATCH = 64, 128, 4, 4, 32
RATE = 3e-3
TRIAL_STEPS = 20  # to see how fast this machine is, and so how many steps the time allows
VALIDATION_SHARE, VALIDATION_WINDOWS = 0.1, 512


def read_text(path: Path) -> str:
    """A UTF-8 text. Raises `UserError` for one that is missing, too large, too short, monotonous or no text."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UserError("A text has at most {megabytes} MB; this one is larger.", megabytes=MOST_BYTES // 10**6)
        data = path.read_bytes()
    except OSError:
        raise UserError("There is no text {path} that can be read.", path=str(path)[:200]) from None
    return checked_text(data)


def checked_text(data: bytes) -> str:
    """The text of these bytes, once it is sure that something can be learnt from it. Raises `UserError`."""
    if len(data) > MOST_BYTES:
        raise UserError("A text has at most {megabytes} MB; this one is larger.", megabytes=MOST_BYTES // 10**6)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError("This is not a text in UTF-8. Save it as UTF-8 and try again.") from None
    if "\0" in text:
        raise UserError("This is a binary file, not a text.")
    if len(text.strip()) < FEWEST_CHARACTERS:
        raise UserError("A text needs at least {fewest} characters to learn from.", fewest=FEWEST_CHARACTERS)
    if len(set(text.strip())) < 2:
        raise UserError("This text repeats a single character: there is nothing to predict.")
    return text


class Characters:
    """The vocabulary of a text: its characters, in the order of their code points."""

    def __init__(self, text: str) -> None:
        self.characters = sorted(set(text))
        self._ids = {character: i for i, character in enumerate(self.characters)}

    def encode(self, text: str) -> list[int]:
        """Raises `UserError` naming the first character that the text did not have."""
        unknown = next((character for character in text if character not in self._ids), None)
        if unknown is not None:
            raise UserError("The character “{character}” does not occur in the text it learnt.", character=unknown)
        return [self._ids[character] for character in text]

    def decode(self, tokens: list[int]) -> str:
        return "".join(self.characters[i] for i in tokens)


class TextTask(Task):
    """Predict each character from those before it, in windows of the text that begin anywhere."""

    def __init__(self, model: LanguageModel, tokens: Tensor, steps: int, batch_size: int) -> None:
        """`tokens` (N,) int64; its last tenth is for validation."""
        self.model = model
        self.device = next(model.parameters()).device
        cut = int(len(tokens) * (1 - VALIDATION_SHARE))
        self.length = min(model.size.context, len(tokens) - cut - 1)
        self.training, validation = tokens[:cut].to(self.device), tokens[cut:].to(self.device)
        places = torch.linspace(0, len(validation) - self.length - 1, VALIDATION_WINDOWS, device=self.device).long()
        self.held_out = _windows(validation, places, self.length)
        self.num_train = steps * batch_size

    def batch(self, indices: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        last = len(self.training) - self.length
        places = torch.randint(last, indices.shape, generator=generator, device=self.device)
        windows = _windows(self.training, places, self.length)
        return windows[:, :-1], windows[:, 1:]

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())

    def correct(self, logits: Tensor, targets: Tensor) -> Tensor:
        return (logits.argmax(2) == targets).double().mean(1).sum()

    @torch.no_grad()
    def evaluate(self, part: str) -> Score:
        del part
        score = Score()
        for windows in self.held_out.split(128):
            logits, targets = self.model(windows[:, :-1]), windows[:, 1:]
            score.loss_sum += float(F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum"))
            score.correct += int((logits.argmax(2) == targets).sum())
            score.count += targets.numel()
        return score

    def metadata(self) -> dict[str, Any]:
        return {"task": "language", "parameters": sum(p.numel() for p in self.model.parameters())}


def learn_text(text: str, seconds: float, seed: int) -> Iterator[Event]:
    """Train for about so many seconds; yields the text's facts, steps now and then, and the end with a sample."""
    characters = Characters(text)
    tokens = torch.tensor(characters.encode(text))
    yield {"event": "text", "characters": len(text), "vocabulary": len(characters.characters), **_baselines(text)}
    began = time.monotonic()
    torch.manual_seed(seed)
    model = LanguageModel(Size(len(characters.characters), CONTEXT, WIDTH, HEADS, LAYERS))
    recipe = LanguageRecipe.preset("a-minute", learning_rate=RATE, batch_size=BATCH, seed=seed)
    device = torch.device("cpu")
    pace = _seconds_per_step(Trainer(TextTask(model, tokens, TRIAL_STEPS, BATCH), recipe, device))
    steps = max(TRIAL_STEPS, int((seconds - (time.monotonic() - began)) / pace * 0.97))
    torch.manual_seed(seed)
    model = LanguageModel(model.size)
    last: Event = {}
    for event in Trainer(TextTask(model, tokens, steps, BATCH), recipe, device).events():
        last = event
        if event["event"] == "step":
            yield event
    start = characters.encode(text[:1])
    sample = characters.decode(generate(model, start, CONTEXT - 1, temperature=0.8, seed=seed))
    yield {
        "event": "finished", "validation_loss": last["test_loss"],
        "bits_per_character": last["test_loss"] / math.log(2),
        "accuracy": last["test_accuracy"], "steps": steps, "parameters": sum(p.numel() for p in model.parameters()),
        "seconds": round(time.monotonic() - began, 1), "sample": text[:1] + sample,
    }  # fmt: skip


def _baselines(text: str) -> dict[str, float]:
    """What guessing costs, in nats: evenly, and by how often each character occurs."""
    counts = Counter(text)
    shares = [count / len(text) for count in counts.values()]
    return {"uniform_loss": math.log(len(counts)), "unigram_loss": -sum(share * math.log(share) for share in shares)}


def _windows(tokens: Tensor, places: Tensor, length: int) -> Tensor:
    """(B, length + 1) stretches of the text that begin at these places."""
    return tokens[places[:, None] + torch.arange(length + 1, device=tokens.device)]


def _seconds_per_step(trainer: Trainer) -> float:
    """How long a step takes on this machine, from a trial: the median between its steps, evaluation left out."""
    times = [time.monotonic() for event in trainer.events() if event["event"] == "step"]
    return statistics.median(later - earlier for earlier, later in pairwise(times))
