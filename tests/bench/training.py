"""How fast we train: ``python -m tests.bench.training [--quick] [--json] [--data FOLDER] [--part NAME]``.

Our loop against two things, all taking turns in one process: the *ceiling*, which is forward, backward and step of the
same net on one batch that is already there, and the tutorial recipe that a student would copy. Then, unless it is to be
quick, ResNet-20 and ResNet-18 against their ceilings, and the share of a run's time that its figures, heartbeats,
events and checkpoints take. With ``--json`` the last line is one JSON object.
"""

import argparse
import contextlib
import json
import signal
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import nn
from torch.nn import functional as F

from core.device import choose_device, prepare
from core.runs import execute as execution
from core.runs.checkpoints import Checkpoints
from core.runs.execute import execute
from core.runs.folder import RunFolder
from core.runs.worker import Sitting
from core.training.batches import batches_in
from core.training.loop import Event, Trainer
from core.training.meter import Meter
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
TURN, TURNS = 20, 10  # steps of a turn of the article's net; turns of a round
RESNETS = {"resnet20": (5, 4), "resnet18": (2, 2)}  # the same of these


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
    """Our loop, its events read as the worker reads them, `steps` at a time; a call goes on where the last one ended.

    Of each trainer the first step is left out, and so is evaluation: a new one begins before an epoch ends.
    """
    task = PictureTask(recipe, dataset, device)
    events: Iterator[Event] = iter(())
    at = len(dataset.train)  # the step it stands at; beyond any, as there is no trainer yet

    def run() -> float:
        nonlocal events, at
        if at + steps >= batches_in(task.num_train, recipe.batch_size):
            events = Trainer(task, recipe, device).events()
            at = next(events)["step"]
        first, began = at, time.perf_counter()
        while at < first + steps:
            at = next(events)["step"]
        return (at - first) * recipe.batch_size / (time.perf_counter() - began)

    return run


def ceiling(dataset: PictureDataset, recipe: PictureRecipe, device: torch.device, steps: int) -> Callable[[], float]:
    """The same net and optimiser on one fixed batch, again and again."""
    network = build_network(recipe.model, dataset.input_shape, len(dataset.classes))
    network.fit(dataset.train)  # ours subtracts this mean, too
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
    """With the ceiling in short turns, many of them: what else the machine does then meets all alike."""
    plain, varied = recipe_of("article-net"), recipe_of("article-net", augmented=True)
    pixels, labels = dataset.train.images.permute(0, 2, 3, 1).numpy(), dataset.train.labels.tolist()
    make = partial(_net, "article-net", dataset)
    loop = ours(dataset, plain, device, TURN)
    speeds = alternating(
        {
            "ceiling": ceiling(dataset, plain, device, TURN),
            "ours": loop,
            "ours, crop + flip": ours(dataset, varied, device, TURN),
        },
        TURNS * rounds,
    )
    recipes = alternating(
        {
            "ours, beside the tutorial": lambda: statistics.median(loop() for _ in range(5)),
            "tutorial, batch 4": partial(tutorial, make, pixels, labels, 4, 400),
            "tutorial, batch 128": partial(tutorial, make, pixels, labels, 128, 25),
        },
        rounds,
    )
    report(speeds | recipes)
    return {
        "ours_over_ceiling": ratio(speeds, "ours", "ceiling"),
        "ours_over_ceiling_augmented": ratio(speeds, "ours, crop + flip", "ceiling"),
        "ours_over_tutorial_batch4": ratio(recipes, "ours, beside the tutorial", "tutorial, batch 4"),
        "ours_over_tutorial_batch128": ratio(recipes, "ours, beside the tutorial", "tutorial, batch 128"),
    }


def resnet(model: str, dataset: PictureDataset, device: torch.device, rounds: int) -> dict[str, float]:
    recipe, (steps, turns) = recipe_of(model), RESNETS[model]
    dataset = replace(dataset, train=dataset.train.take(torch.arange((4 * steps + 2) * recipe.batch_size)))
    speeds = alternating(
        {f"{model}, ceiling": ceiling(dataset, recipe, device, steps), model: ours(dataset, recipe, device, steps)},
        turns * rounds,
    )
    report(speeds)
    return {f"{model}_over_ceiling": ratio(speeds, model, f"{model}, ceiling")}


OVERHEADS = {
    "quick-look": PictureRecipe.preset("quick-look", epochs=500),
    "article-net": PictureRecipe(
        dataset="shapes:clutter=0,texture=0,count=20000", model="article-net", epochs=500, learning_rate=1e-3
    ),
    "resnet18": PictureRecipe(
        dataset="shapes", model="resnet18", optimizer="momentum", epochs=500, learning_rate=1e-3, train_limit=640
    ),  # the largest checkpoints: weights, momentum, and the best weights so far
}
OVERHEAD_S = 25.0  # of each of these runs: two checkpoints and the one at the stop


class Clock:
    """Adds up, by name, the seconds that wrapped functions take."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, list[float]] = defaultdict(list)

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            began = time.perf_counter()
            answer = function(*arguments)
            self.seconds[name].append(time.perf_counter() - began)
            return answer

        return run


def overhead(name: str, seconds: float = OVERHEAD_S) -> dict[str, float]:
    """Shares of a run's time, as a worker trains it: its figures, its heartbeats, its events and its checkpoints.

    By the clock around each of them, in one run: two runs beside each other differ by more than the goal of 2 %.
    """
    clock = Clock()
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        folder = RunFolder(Path(scratch) / "run")
        folder.create(OVERHEADS[name])
        for owner, function, part in (
            (Trainer, "_step_event", "metrics"), (Meter, "add", "metrics"),
            (RunFolder, "append_event", "events"), (Checkpoints, "save", "checkpoints"),
        ):  # fmt: skip
            stack.enter_context(patch.object(owner, function, clock.timed(part, getattr(owner, function))))
        handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        pulse = clock.timed("heartbeats", Sitting(folder).pulse)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        began = 0.0

        def until_the_end() -> bool:
            return bool(pulse()) or time.perf_counter() - began > seconds

        for event in execute(folder, until_the_end):
            if event["event"] == "started":
                began = time.perf_counter()
                clock.seconds.clear()
        whole = time.perf_counter() - began
    checkpoints = clock.seconds.pop("checkpoints")
    whole -= sum(checkpoints)
    shares = {part: sum(clock.seconds[part]) / whole for part in ("metrics", "heartbeats", "events")}
    cost = statistics.mean(checkpoints)
    shares["checkpoints"] = cost / execution.pause_after(cost)
    print(f"{name:14}" + "".join(f"{part:>14}{100 * share:6.2f} %" for part, share in shares.items()))
    return {f"{name}_overhead": sum(shares.values())}


def _net(model: str, dataset: PictureDataset) -> nn.Module:
    """Without our normalisation: the recipe has its own among its transforms."""
    return build_network(model, dataset.input_shape, len(dataset.classes)).network


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.training", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the article's net only, under three minutes")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    parser.add_argument("--data", help="a folder of pictures instead of generated ones")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--part", choices=("loop", *RESNETS, "overhead"), action="append", help="only this; repeatable")
    options = parser.parse_args()
    parts = options.part or (["loop"] if options.quick else ["overhead", *RESNETS, "loop"])
    device = choose_device("auto")
    prepare(device)
    around = surroundings()
    print(" · ".join(f"{name} {value}" for name, value in around.items()), f"· {device.type}")
    recipe = PictureRecipe(dataset=f"folder:{options.data}") if options.data else None
    dataset = load_dataset(recipe) if recipe else generated(COUNT)
    found: dict[str, float] = {}
    for part in parts:
        if part == "overhead":
            for name in OVERHEADS:
                found |= overhead(name)
        elif part == "loop":
            found |= loop_and_tutorial(dataset, device, options.rounds)
        else:
            found |= resnet(part, dataset, device, options.rounds)
    for name, value in found.items():
        print(f"{name:32}{value:8.3f}")
    if options.json:
        print(json.dumps({"surroundings": around, "device": device.type, **{k: round(v, 4) for k, v in found.items()}}))


if __name__ == "__main__":
    main()
