"""How fast we train: ``python -m tests.bench.training [--quick] [--json] [--data FOLDER]``.

Our loop against two things, all taking turns in one process: the *ceiling*, which is forward, backward and step of the
same net on one batch that is already there, and the tutorial recipe that a student would copy. With ``--json`` the last
line is one JSON object.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from core.device import choose_device, prepare
from core.runs.execute import execute
from core.runs.folder import RunFolder
from core.training.loop import Trainer
from core.training.optimizers import make_optimizer
from core.vision.network import build_network
from core.vision.pictures import PictureDataset, Pictures
from core.vision.recipe import PictureRecipe
from core.vision.splits import load_dataset
from core.vision.task import PictureTask
from tests.bench._timing import alternating, ratio, report, surroundings
from tests.bench.baselines.tutorial import tutorial

COUNT = 25_600
ROUNDS = 5


def generated(count: int) -> PictureDataset:
    """Random bytes, 3×32×32 in 10 classes: as much work as real pictures."""
    generator = torch.Generator().manual_seed(0)

    def part(size: int) -> Pictures:
        images = torch.randint(256, (size, 3, 32, 32), dtype=torch.uint8, generator=generator)
        return Pictures(images.contiguous(memory_format=torch.channels_last), torch.arange(size) % 10)

    return PictureDataset("generated", "1", "random bytes", tuple("0123456789"), part(count), part(100), part(100))


def recipe_of(model: str, augmented: bool = False) -> PictureRecipe:
    return PictureRecipe(
        model=model, optimizer="momentum", learning_rate=0.001, batch_size=128, epochs=1, keep_best=False,
        crop=4 if augmented else 0, flip=augmented,
    )  # fmt: skip


def ours(dataset: PictureDataset, recipe: PictureRecipe, device: torch.device, steps: int) -> Callable[[], float]:
    """Our loop, its events read as the worker reads them; evaluation is left out."""
    task = PictureTask(recipe, dataset, device)

    def run() -> float:
        trainer = Trainer(task, recipe, device)
        began = time.perf_counter()
        for event in trainer.events():
            if event["event"] == "step" and event["step"] >= steps:
                return event["step"] * recipe.batch_size / (time.perf_counter() - began)
        raise AssertionError("too few pictures")

    return run


def ceiling(dataset: PictureDataset, recipe: PictureRecipe, device: torch.device, steps: int) -> Callable[[], float]:
    """The same net and optimiser on one fixed batch, again and again."""
    network = build_network(recipe.model, dataset.input_shape, len(dataset.classes))
    network = network.to(device).to(memory_format=torch.channels_last)
    inputs = dataset.train.images[: recipe.batch_size].to(device).float().div(255)
    inputs = inputs.contiguous(memory_format=torch.channels_last)
    targets = dataset.train.labels[: recipe.batch_size].to(device)
    optimizer = make_optimizer(network, recipe)

    def run() -> float:
        began = time.perf_counter()
        for _ in range(steps):
            optimizer.zero_grad(set_to_none=True)
            F.cross_entropy(network(inputs), targets).backward()
            optimizer.step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        return steps * recipe.batch_size / (time.perf_counter() - began)

    return run


def loop_and_tutorial(dataset: PictureDataset, device: torch.device, rounds: int) -> dict[str, float]:
    steps = min(150, len(dataset.train) // 128 - 20)
    plain, varied = recipe_of("article-net"), recipe_of("article-net", augmented=True)
    pixels, labels = dataset.train.images.permute(0, 2, 3, 1).numpy(), dataset.train.labels.tolist()
    make = partial(_net, "article-net", dataset)
    speeds = alternating(
        {
            "ceiling": ceiling(dataset, plain, device, steps),
            "ours": ours(dataset, plain, device, steps),
            "ours, crop + flip": ours(dataset, varied, device, steps),
            "tutorial, batch 4": partial(tutorial, make, pixels, labels, 4, 400),
            "tutorial, batch 128": partial(tutorial, make, pixels, labels, 128, 25),
        },
        rounds,
    )
    report(speeds)
    return {
        "ours_over_ceiling": ratio(speeds, "ours", "ceiling"),
        "ours_over_ceiling_augmented": ratio(speeds, "ours, crop + flip", "ceiling"),
        "ours_over_tutorial_batch4": ratio(speeds, "ours", "tutorial, batch 4"),
        "ours_over_tutorial_batch128": ratio(speeds, "ours", "tutorial, batch 128"),
    }


def resnets(dataset: PictureDataset, device: torch.device, rounds: int) -> dict[str, float]:
    found = {}
    for model, steps in (("resnet20", 20), ("resnet18", 20)):
        recipe = recipe_of(model)
        speeds = alternating(
            {f"{model}, ceiling": ceiling(dataset, recipe, device, steps), model: ours(dataset, recipe, device, steps)},
            rounds,
        )
        report(speeds)
        found[f"{model}_over_ceiling"] = ratio(speeds, model, f"{model}, ceiling")
    return found


def overhead(rounds: int) -> dict[str, float]:
    """A whole run with folder, metrics, heartbeats and checkpoints against the loop alone, on the shapes."""
    recipe = PictureRecipe(dataset="shapes:count=5000", model="small-cnn", epochs=2, learning_rate=1e-3)
    device = choose_device(recipe.device)
    task = PictureTask(recipe, load_dataset(recipe), device)

    def bare() -> float:
        last = {}
        for event in Trainer(task, recipe, device).events():
            last = event
        return 1 / last["seconds"]

    def whole() -> float:
        with tempfile.TemporaryDirectory() as scratch:
            folder = RunFolder(Path(scratch) / "run")
            folder.create(recipe)
            last: dict[str, Any] = {}
            for event in execute(folder):
                last = event
        return 1 / last["seconds"]

    speeds = alternating({"loop alone": bare, "whole run": whole}, rounds)
    return {"overhead": 1 / ratio(speeds, "whole run", "loop alone") - 1}


def _net(model: str, dataset: PictureDataset) -> nn.Module:
    return build_network(model, dataset.input_shape, len(dataset.classes))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.training", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the article's net only, under three minutes")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    parser.add_argument("--data", help="a folder of pictures instead of generated ones")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    device = choose_device("auto")
    prepare(device)
    around = surroundings()
    print(" · ".join(f"{name} {value}" for name, value in around.items()), f"· {device.type}")
    recipe = PictureRecipe(dataset=f"folder:{options.data}") if options.data else None
    dataset = load_dataset(recipe) if recipe else generated(COUNT)
    found = loop_and_tutorial(dataset, device, options.rounds)
    if not options.quick:
        found = {**resnets(dataset, device, options.rounds), **overhead(options.rounds), **found}
    for name, value in found.items():
        print(f"{name:32}{value:8.3f}")
    if options.json:
        print(json.dumps({"surroundings": around, "device": device.type, **{k: round(v, 4) for k, v in found.items()}}))


if __name__ == "__main__":
    main()
