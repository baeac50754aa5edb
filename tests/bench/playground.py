"""How long the playground makes one wait: ``python -m tests.bench.playground``; medians of five, first call apart.

Each figure is what the page waits for: the call into the warm process, and for the film also drawing and packing it
for the browser, whose size is told.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

from plotly.io.json import to_json_plotly

from app.figures.playground import film
from core.maths.plane import Sample, make_points, split
from core.runs import client

TIMES = 5
WORDS = {"class": "Class {number}", "test": "test", "training": "training", "epoch": "Epoch", "loss": "Loss",
         "frame": "Epoch {number}", "now": "epoch {epoch}: {train}, {test}"}  # fmt: skip


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    made = work()
    return time.perf_counter() - start, made


def call(function: str, sample: Sample, **settings: Any) -> dict[str, Any]:
    return client.call(
        f"core.maths.playground:{function}", points=sample.points, labels=sample.labels, held_out=sample.held_out,
        box=sample.box, **settings,
    )  # fmt: skip


def report(name: str, work: Callable[[], Any], note: str = "") -> None:
    seconds = [timed(work)[0] for _ in range(TIMES)]
    middle, low, high = statistics.median(seconds), min(seconds), max(seconds)
    print(f"{name:<58} {middle:6.2f} s  ({low:.2f} to {high:.2f}) {note}", flush=True)


def main() -> None:
    sample = split(*make_points("moons", 400, 0.3, 0), 0.3, 0)
    client.ensure_supervisor()
    print(f"first call, with the start of the processes: {timed(lambda: call('fit', sample, name='tree'))[0]:.1f} s")
    for name in ("logistic", "tree", "forest", "neighbours", "svm", "bayes"):
        report(name, lambda name=name: call("fit", sample, name=name))
    by_hand = split(*make_points("circles", 25, 0.2, 0), 0.3, 0)
    report("network 3 × 16, 25 points, 200 epochs", lambda: call("train_network", by_hand))
    for depth, width in ((1, 8), (3, 16), (8, 64)):
        work = lambda d=depth, w=width: call("train_network", sample, depth=d, width=w)  # noqa: E731
        report(f"network {depth} × {width}, 400 points, 200 epochs", work)
    made = call("train_network", sample)
    pack = lambda: to_json_plotly(film(sample, made, WORDS).to_dict())  # noqa: E731
    report("film of it, drawn and packed", pack, f"{len(pack()) / 1000:.0f} kB")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ["ATLAS_HOME"] = home
        try:
            main()
        finally:
            client.shutdown()
