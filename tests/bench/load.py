"""``python -m tests.bench.load [--sessions 50] [--seconds 600] [--trainings 2] [--json]``: a class at once.

Each session is a websocket client that speaks Streamlit's protocol from 127.0.0.1. Four of five watch a training, whose
fragment they update once a second as a browser does; the others sit on maths pages and move a slider every five
seconds, which runs the whole page. Meanwhile the trainings run. Reports how long updates took, errors, and the memory
of the server as the system sees it.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psutil

from core.runs import client, store
from core.vision.recipe import PictureRecipe
from tests.bench._timing import surroundings
from tests.e2e.server import running_app
from tests.e2e.visitor import Visitor, beside

POLL_S, SLIDE_S, SETTLE_S = 1.0, 5.0, 10.0
LONG = {"dataset": "shapes:count=5000", "model": "resnet20", "epochs": 500, "device": "cpu"}  # outlasts the bench
SLIDES = ("cross-entropy?z-0=", "gradient-steps?x0-ravine=", "backpropagation?v.w1=")


@dataclass
class Found:
    """What all sessions together have seen."""

    updates: list[float] = field(default_factory=list)  # seconds, of fragments
    slides: list[float] = field(default_factory=list)  # seconds, of whole pages
    loads: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)  # of the server, once a second


async def _session(url: str, place: int, runs: list[str], begins: float, ends: float, found: Found) -> None:
    watches = place % 5 != 4
    target = f"train?run={runs[place % len(runs)]}" if watches else SLIDES[place // 5 % len(SLIDES)] + "1"
    page, query = target.split("?")
    chance = random.Random(place)
    try:
        async with Visitor(url, page, query) as visitor:
            found.loads.append(await visitor.load())
            await asyncio.sleep(max(0.0, begins - time.monotonic()) + chance.random())
            due = time.monotonic()
            while due < ends:
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                if watches and visitor.fragments:
                    found.updates.append(await visitor.update())
                    due = max(due + POLL_S, time.monotonic())
                else:
                    changed = f"{query[:-1]}{chance.uniform(0, 3):.1f}" if not watches else query
                    found.slides.append(await visitor.load(changed))
                    due = max(due + SLIDE_S, time.monotonic())
            if visitor.failed:
                found.errors.append(f"{page}: {visitor.failed} reruns ended with an exception")
    except Exception as error:  # whatever it is, a person would have seen it
        found.errors.append(f"{page}: {error!r}")


@contextmanager
def _watched(server: psutil.Process, found: Found) -> Iterator[None]:
    """Meanwhile look at the server's memory once a second."""
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(1.0):
            found.memory_mb.append(server.memory_info().rss / 1e6)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


async def _class_comes(url: str, sessions: int, seconds: float, runs: list[str], found: Found) -> None:
    arrive = 0.2 * sessions + SETTLE_S  # a class does not click in the same millisecond
    begins = time.monotonic() + arrive
    async with asyncio.TaskGroup() as group:
        for place in range(sessions):
            group.create_task(_session(url, place, runs, begins, begins + seconds, found))
            await asyncio.sleep(0.2)


def _last_step(run: str) -> int:
    return next(int(event["step"]) for event in reversed(store.get(run).folder.read_events()[0]) if "step" in event)


def measured(sessions: int, seconds: float, trainings: int = 2) -> dict[str, Any]:
    """The figures, as plain values; the server has a home of its own."""
    with tempfile.TemporaryDirectory() as home:
        before = os.environ.get("ATLAS_HOME")
        os.environ["ATLAS_HOME"] = home
        found = Found()
        try:
            with running_app() as url:
                server = listening_on(int(url.rsplit(":", 1)[1]))
                alone = server.memory_info().rss / 1e6
                busy = sum(server.cpu_times()[:2])
                runs = [store.submit(PictureRecipe.preset("quick-look", **LONG, seed=k)) for k in range(trainings)]
                _wait_until_they_train(runs)
                begins = {run: _last_step(run) for run in runs}
                came = time.monotonic()
                with _watched(server, found):
                    beside(_class_comes(url, sessions, seconds, runs, found))
                took = time.monotonic() - came
                steps = sum(_last_step(run) - begins[run] for run in runs)
                busy = sum(server.cpu_times()[:2]) - busy
                time.sleep(2)
                after = server.memory_info().rss / 1e6
                found.errors += [f"{run} {store.get(run).state}" for run in runs if store.get(run).state != "running"]
                for run in runs:
                    store.stop(run)
        finally:
            client.shutdown()
            os.environ.pop("ATLAS_HOME") if before is None else os.environ.update(ATLAS_HOME=before)
    batch = PictureRecipe.preset("quick-look").batch_size
    return {
        "sessions": sessions, "seconds": seconds, "trainings": trainings,
        **_spread("update", found.updates), **_spread("slide", found.slides), **_spread("load", found.loads),
        "errors": found.errors, "pictures_per_second": round(batch * steps / took),
        "server_share_of_a_core": round(busy / took, 2),
        "memory_mb_alone": round(alone), **_memory(found.memory_mb, seconds), "memory_mb_after": round(after),
    }  # fmt: skip


def _spread(name: str, seconds: list[float]) -> dict[str, Any]:
    if len(seconds) < 2:
        return {f"{name}s": len(seconds)}
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    figures = {"p50": cuts[49], "p95": cuts[94], "most": max(seconds)}
    return {f"{name}s": len(seconds)} | {f"{name}_ms_{which}": round(1000 * value) for which, value in figures.items()}


def _memory(megabytes: list[float], seconds: float) -> dict[str, Any]:
    """The most, and the medians of five stretches of the time in which nobody came or went."""
    quiet = megabytes[-max(5, int(seconds)) :]
    fifth = max(1, len(quiet) // 5)
    parts = [round(statistics.median(quiet[k * fifth : (k + 1) * fifth])) for k in range(5)]
    return {"memory_mb_most": round(max(megabytes)), "memory_mb_over_time": parts}


def _wait_until_they_train(runs: list[str]) -> None:
    deadline = time.monotonic() + 120
    while not all(
        store.get(run).state == "running" and any(e["event"] == "step" for e in store.get(run).folder.read_events()[0])
        for run in runs
    ):
        if time.monotonic() > deadline:
            raise TimeoutError("the trainings do not begin")
        time.sleep(0.2)


def listening_on(port: int) -> psutil.Process:
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
            return psutil.Process(connection.pid)
    raise LookupError(f"nobody listens on {port}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.load", description=__doc__)
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--trainings", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    options = parser.parse_args()
    found = measured(options.sessions, options.seconds, options.trainings)
    print(" · ".join(f"{name} {value}" for name, value in surroundings().items()))
    for name, value in found.items():
        print(f"{name:22}{value}")
    if options.json:
        print(json.dumps({"surroundings": surroundings(), **found}))
    return bool(found["errors"])


if __name__ == "__main__":
    sys.exit(main())
