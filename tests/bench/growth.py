"""How cost grows: ``python -m tests.bench.growth [--part NAME …] [--quick] [--json] [--svg FOLDER]``.

Parts: `size`, seconds of an epoch and memory against the number of pictures (the coloured shapes, article's net, batch
512; from 256 MB of pixels on they lie in a mapped file); `ceiling`, our loop on pictures in memory, in a mapped file,
and in one of which nothing is in memory, against the same net on one fixed batch; `batch` and `threads`, pictures a
second; `trainers`, several processes beside each other; `sessions`, how long a page takes to update beside two
trainings. ``--svg tests/bench/charts`` draws what was measured, and keeps each part's figures and surroundings beside
it in growth.json, so that parts can be measured one by one.

Memory is `anonymous`, what the process has for itself, and `mapped`, pages of files, the libraries' included, which the
system may take back at any time: RssAnon and RssFile of Linux, the most of looks every 50 ms.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch

from core.device import prepare
from core.machine import usable_cores, wait_without_spinning
from core.training.loop import Trainer
from core.vision.datasets.shapes import SIDE
from core.vision.pictures import PictureDataset
from core.vision.recipe import PictureRecipe
from core.vision.splits import load_dataset
from core.vision.stored import StoredPixels
from core.vision.task import PictureTask
from tests.bench._growth_charts import draw
from tests.bench._timing import alternating, ratio, report, surroundings
from tests.bench.training import ceiling, generated, ours, recipe_of

ROUNDS, STEPS, BATCH, LARGE_BATCH = 5, 100, 128, 512
SIZES, QUICK_SIZES = (1_000, 10_000, 50_000, 100_000, 300_000, 1_000_000), (1_000, 10_000, 50_000)
BATCHES = (8, 32, 128, 512, 2048)
SESSIONS = (1, 5, 10, 20, 50)
RESIDENT_MB = 256  # in these measurements, so that the bound lies within the sizes
PICTURES = 25_600
CPU = torch.device("cpu")


def size(options: argparse.Namespace) -> dict[str, Any]:
    """Each size in a process of its own, for the memory."""
    sizes = options.sizes or (QUICK_SIZES if options.quick else SIZES)
    rows = [_alone(_epochs, count) for count in sizes]
    for row in rows:
        print(" · ".join(f"{name} {value}" for name, value in row.items()))
    return {"net": "article-net", "batch": LARGE_BATCH, "resident_mb": RESIDENT_MB, "rows": rows}


def _epochs(count: int) -> dict[str, Any]:
    """The median of some epochs, validation included, over so many pictures; nine tenths of them to learn from."""
    os.environ["ATLAS_RESIDENT_MB"] = str(RESIDENT_MB)
    recipe = PictureRecipe(
        dataset=f"shapes:count={count}", model="article-net", optimizer="momentum", learning_rate=0.001,
        batch_size=LARGE_BATCH, epochs=max(1, min(8, 200_000 // count)), keep_best=False,
        device="cpu",
    )  # fmt: skip
    prepare(CPU)
    began = time.perf_counter()
    dataset = load_dataset(recipe)
    loaded = time.perf_counter()
    seconds, marks = [], []
    with _watched_memory() as memory:
        task = PictureTask(recipe, dataset, CPU)
        started = time.perf_counter()
        for event in Trainer(task, recipe, CPU).events():
            if event["event"] == "epoch":
                marks.append(time.perf_counter())
                seconds.append(marks[-1] - (marks[-2] if len(marks) > 1 else started))
            if len(marks) == recipe.epochs:
                break
    return {
        "pictures": count, "seconds_per_epoch": round(statistics.median(seconds), 3), "epochs": len(seconds),
        "pixels_mb": round(count * 1.2 * SIDE * SIDE * 3 / 1e6),
        "mapped_file": isinstance(dataset.train.whole, StoredPixels), "load_s": round(loaded - began, 1),
        "prepare_s": round(started - loaded, 1), **memory,
    }  # fmt: skip


def against_ceiling(options: argparse.Namespace) -> dict[str, Any]:
    """`cold`: all that the system keeps of the file is dropped before each round, so that every page is read anew."""
    os.environ["ATLAS_RESIDENT_MB"] = str(RESIDENT_MB)
    count = options.sizes[-1] if options.sizes else 100_000
    in_memory, mapped = generated(PICTURES), load_dataset(PictureRecipe(dataset=f"shapes:count={count}"))
    whole = mapped.train.whole
    assert isinstance(whole, StoredPixels), "larger than the bound"
    prepare(CPU)
    rows = []
    for net, steps in (("article-net", STEPS), ("resnet20", STEPS // 8)):
        recipe = recipe_of(net)
        from_file = ours(mapped, recipe, CPU, steps)
        contenders = {
            "ceiling": ceiling(in_memory, recipe, CPU, steps), "in memory": ours(in_memory, recipe, CPU, steps),
            "mapped": from_file,
        }  # fmt: skip
        if hasattr(os, "posix_fadvise"):
            contenders["mapped, cold"] = partial(_cold, whole, from_file)
        speeds = alternating(contenders, options.rounds)
        report(speeds)
        rows.append({
            "net": net,
            "over_ceiling": {name: round(ratio(speeds, name, "ceiling"), 3) for name in contenders},
            "pictures_per_second": {name: round(statistics.median(values)) for name, values in speeds.items()},
        })  # fmt: skip
    return {"batch": BATCH, "file_mb": round(whole.nbytes / 1e6), "rows": rows}


def _cold(whole: StoredPixels, run: Callable[[], float]) -> float:
    """The run's speed when the system has to read everything from the disk but the batches that are made or asked for
    already: at most twenty of a turn's hundred."""
    os.posix_fadvise(whole.descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    return run()


def batch(options: argparse.Namespace) -> dict[str, Any]:
    prepare(CPU)
    dataset = generated(PICTURES)
    speeds = alternating({str(b): partial(_speed, dataset, b) for b in BATCHES}, options.rounds)
    report(speeds)
    return {"net": "article-net", "rows": [{"batch": int(b), **_spread(values)} for b, values in speeds.items()]}


def threads(options: argparse.Namespace) -> dict[str, Any]:
    prepare(CPU)
    dataset, before = generated(PICTURES), torch.get_num_threads()
    numbers = sorted({1, 2, usable_cores(), 2 * usable_cores()})

    def with_threads(number: int) -> float:
        torch.set_num_threads(number)
        return _speed(dataset, BATCH)

    speeds = alternating({str(number): partial(with_threads, number) for number in numbers}, options.rounds)
    torch.set_num_threads(before)
    report(speeds)
    return {
        "net": "article-net", "batch": BATCH,
        "rows": [{"threads": int(number), **_spread(values)} for number, values in speeds.items()],
    }  # fmt: skip


def _speed(dataset: PictureDataset, size: int) -> float:
    """Pictures a second of our loop at this batch size, over 12,800 pictures or fewer for small batches."""
    recipe = PictureRecipe(
        model="article-net", optimizer="momentum", learning_rate=0.001, batch_size=size, epochs=2, keep_best=False
    )
    return ours(dataset, recipe, CPU, max(4, min(200, 12_800 // size)))()


SETUPS = ((1, 1), (1, 2), (2, 1), (2, 2), (4, 1))  # trainers, threads of each


def trainers(options: argparse.Namespace) -> dict[str, Any]:
    """What all processes together train in a second; each trains the same thing and they begin together."""
    seconds = 3.0
    contenders = {
        f"{number} × {each}": partial(_together, "article-net", number, each, seconds) for number, each in SETUPS
    }
    speeds = alternating(contenders, options.rounds)
    report(speeds)
    return {
        "net": "article-net", "batch": BATCH,
        "rows": [
            {"trainers": number, "threads": each, **_spread(speeds[f"{number} × {each}"])} for number, each in SETUPS
        ],
    }  # fmt: skip


def _together(model: str, number: int, each: int, seconds: float) -> float:
    context = multiprocessing.get_context("forkserver" if hasattr(os, "fork") else "spawn")
    context.set_forkserver_preload(["tests.bench.training"])
    ready, results = context.Barrier(number), context.SimpleQueue()
    processes = [context.Process(target=_trainer, args=(model, each, seconds, ready, results)) for _ in range(number)]
    for process in processes:
        process.start()
    total = sum(results.get() for _ in processes)
    for process in processes:
        process.join()
    return float(total)


def _trainer(model: str, each: int, seconds: float, ready: Any, results: Any) -> None:
    torch.set_num_threads(each)
    prepare(CPU)
    recipe, dataset = recipe_of(model), generated(PICTURES)
    ours(dataset, recipe, CPU, 5)()
    task = PictureTask(PictureRecipe.from_mapping(recipe.to_mapping() | {"epochs": 500}), dataset, CPU)
    trainer = Trainer(task, task.recipe, CPU)
    ready.wait()
    began = time.perf_counter()
    trainer.pulse = lambda: time.perf_counter() - began > seconds
    for _ in trainer.events():
        pass
    results.put(trainer.step * BATCH / (time.perf_counter() - began))


def sessions(options: argparse.Namespace) -> dict[str, Any]:
    from tests.bench.load import measured  # only this part needs the app

    rows = []
    for number in options.sessions or ((1, 5) if options.quick else SESSIONS):
        found = measured(number, options.seconds)
        rows.append({"sessions": number, **{k: v for k, v in found.items() if k != "sessions"}})
        print(f"{number} sessions: update p50 {found['update_ms_p50']} ms, p95 {found['update_ms_p95']} ms")
    return {"seconds": options.seconds, "rows": rows}


PARTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "size": size, "ceiling": against_ceiling, "batch": batch, "threads": threads, "trainers": trainers,
    "sessions": sessions,
}  # fmt: skip
KEYS = {"size": "pictures", "sessions": "sessions"}  # of parts whose rows may be measured one by one


@contextmanager
def _watched_memory() -> Iterator[dict[str, int]]:
    """Meanwhile look at the memory of this process; afterwards the most of it, in MB. Empty where there is no Linux."""
    most: dict[str, int] = {}
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.05):
            lines = Path("/proc/self/status").read_text().splitlines()
            for name, ours_ in (("RssAnon", "anonymous_mb"), ("RssFile", "mapped_mb")):
                kib = int(next(line for line in lines if line.startswith(name)).split()[1])
                most[ours_] = max(most.get(ours_, 0), round(kib * 1024 / 1e6))

    thread = threading.Thread(target=look, daemon=True)
    if Path("/proc/self/status").exists():
        thread.start()
    try:
        yield most
    finally:
        ended.set()


def _alone(function: Callable[[Any], dict[str, Any]], argument: Any) -> dict[str, Any]:
    """What a function gives in a fresh process, whose threads do not spin, as those of our workers do not."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, argument).result()


def _spread(values: list[float]) -> dict[str, int]:
    return {
        "pictures_per_second": round(statistics.median(values)), "slowest": round(min(values)),
        "fastest": round(max(values)),
    }  # fmt: skip


def merged(before: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Today's figures in the place of older ones of the same part, or the same row where rows are measured apart."""
    for part, figures in found.items():
        key = KEYS.get(part)
        if key and part in before:
            rows = {row[key]: row for row in [*before[part]["rows"], *figures["rows"]]}
            figures["rows"] = [rows[place] for place in sorted(rows)]
        before[part] = figures
    return before


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.growth", description=__doc__)
    parser.add_argument("--part", nargs="+", choices=PARTS, default=list(PARTS), help="else all of them")
    parser.add_argument("--quick", action="store_true", help="small sizes, one or two values of each")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    parser.add_argument("--svg", metavar="FOLDER", type=Path, help="draw the charts there, from what growth.json has")
    parser.add_argument("--sizes", nargs="+", type=int, help="numbers of pictures, for the part size")
    parser.add_argument("--sessions", nargs="+", type=int, help="numbers of sessions, for the part sessions")
    parser.add_argument("--seconds", type=float, default=20.0, help="that a class of the part sessions stays")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    wait_without_spinning()
    found = {}
    for part in options.part:
        around = surroundings()
        print(" · ".join([part, *(f"{name} {value}" for name, value in around.items())]))
        found[part] = _alone(PARTS[part], options)
        for row in found[part].get("rows", []):
            row["surroundings"] = around
        found[part]["surroundings"] = around
    if options.svg:
        options.svg.mkdir(parents=True, exist_ok=True)
        kept = options.svg / "growth.json"
        everything = merged(json.loads(kept.read_text()) if kept.exists() else {}, found)
        kept.write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")
        draw(everything, options.svg)
    if options.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
