"""How fast the language model is: ``python -m tests.bench.language [--quick] [--json]``.

Our loop against the same model's forward, backward and step on one fixed batch; writing 256 tokens with the key–value
cache against without; and the whole loop of a life by its command. ``--shakespeare PATH`` or ``--songci PATH`` instead
trains on that text for three minutes and tells the validation loss. With ``--json`` the last line is one JSON object.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F

from core.device import prepare
from core.language import world
from core.language.generate import generate
from core.language.model import LanguageModel, Size
from core.language.recipe import LanguageRecipe
from core.language.text import TextTask, learn_text
from core.language.text_recipe import TextRecipe
from core.language.texts import load, read_text
from core.language.training import DocumentTask
from core.training.loop import Trainer
from core.training.optimizers import make_optimizer
from core.training.recipe import Recipe
from core.training.task import Task
from tests.bench._timing import alternating, begin, ratio, report

ROUNDS, STEPS, TOKENS, MINUTES = 5, 60, 256, 3.0
CPU = torch.device("cpu")


def life_task() -> tuple[Task, Recipe]:
    """Pre-training of a life, at its default size."""
    recipe = LanguageRecipe.preset("a-minute")
    documents = world.pretraining_documents(recipe.batch_size * (STEPS + 1), torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    return DocumentTask(LanguageModel(Size(len(world.VOCABULARY))), documents, documents[:64]), recipe


def text_task() -> tuple[Task, Recipe]:
    """A text run at its default size; its looks, which are no training, left out."""
    recipe = TextRecipe.preset("quick", steps=STEPS + 1, device="cpu")
    task = TextTask(recipe, load(recipe.source), CPU)
    task.looks = set()
    return task, recipe


def ours(make: Callable[[], tuple[Task, Recipe]]) -> Callable[[], float]:
    task, recipe = make()

    def run() -> float:
        trainer = Trainer(task, recipe, CPU)
        began = time.perf_counter()
        for event in trainer.events():
            if event["event"] == "step" and event["step"] >= STEPS:
                return event["step"] * recipe.batch_size / (time.perf_counter() - began)
        raise AssertionError("too few steps")

    return run


def ceiling(make: Callable[[], tuple[Task, Recipe]]) -> Callable[[], float]:
    """The same model and optimiser on one batch that is already there."""
    task, recipe = make()
    inputs, targets = task.batch(torch.arange(recipe.batch_size), torch.Generator().manual_seed(0))
    optimizer = make_optimizer(task.model, recipe)

    def run() -> float:
        began = time.perf_counter()
        for _ in range(STEPS):
            optimizer.zero_grad(set_to_none=True)
            F.cross_entropy(task.model(inputs).flatten(0, 1), targets.flatten()).backward()
            optimizer.step()
        return STEPS * recipe.batch_size / (time.perf_counter() - began)

    return run


def training(rounds: int) -> dict[str, float]:
    found = {}
    for name, make in (("life", life_task), ("text", text_task)):
        speeds = alternating({f"{name}, ceiling": ceiling(make), name: ours(make)}, rounds)
        report(speeds)
        found[f"{name}_over_ceiling"] = ratio(speeds, name, f"{name}, ceiling")
    return found


def writing(rounds: int) -> dict[str, float]:
    """Tokens a second, 256 of them behind one, by a model of four layers of width 128."""
    torch.manual_seed(0)
    model = LanguageModel(Size(65, context=TOKENS + 1, width=128, heads=4, layers=4)).eval()

    def write(use_cache: bool) -> Callable[[], float]:
        def run() -> float:
            began = time.perf_counter()
            generate(model, [1], TOKENS, use_cache=use_cache)
            return TOKENS / (time.perf_counter() - began)

        return run

    speeds = alternating({"with cache": write(True), "without cache": write(False)}, rounds)
    report(speeds)
    return {"cache_over_none": ratio(speeds, "with cache", "without cache")}


def whole_loop() -> dict[str, float]:
    """Wall time of the command, start of Python and torch included."""
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "core.language"], capture_output=True, check=True)
    seconds = time.perf_counter() - began
    nodes = [json.loads(line) for line in done.stdout.splitlines()]
    pretraining = next(node["seconds"] for node in nodes if node["node"] == "pre-training")
    return {"whole_loop_s": seconds, "pre_training_s": pretraining}


def learnt(path: str, minutes: float) -> dict[str, Any]:
    """The validation loss of a character model after so many minutes."""
    last: dict[str, Any] = {}
    for event in learn_text(read_text(Path(path).expanduser()), 60 * minutes, seed=0):
        last = event
    print(last.pop("sample"))
    return last


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.language", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="without the whole loop of a life")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="how long to learn a text")
    parser.add_argument("--shakespeare", metavar="PATH", help="instead: learn this text")
    parser.add_argument("--songci", metavar="PATH", help="instead: learn this text")
    prepare(CPU)
    options, end = begin(parser)
    if options.shakespeare or options.songci:
        found = learnt(options.shakespeare or options.songci, options.minutes)
    else:
        found = {**training(options.rounds), **writing(options.rounds)}
        found |= {} if options.quick else whole_loop()
    for name, value in found.items():
        print(f"{name:32}{value:>12}" if isinstance(value, str) else f"{name:32}{value:12.3f}")
    end(found)


if __name__ == "__main__":
    main()
