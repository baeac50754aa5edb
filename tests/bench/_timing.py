"""Timings that can be compared on a machine that is never quiet: contenders take turns, medians of the ratios."""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch

from core.machine import usable_cores

Contender = Callable[[], float]
"""Does its work once and returns pictures per second."""


def alternating(contenders: Mapping[str, Contender], rounds: int) -> dict[str, list[float]]:
    """Each contender's speeds, one a round; every round lets all of them run, after one round of warming up."""
    for contender in contenders.values():
        contender()
    speeds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            speeds[name].append(contender())
    return speeds


def ratio(speeds: Mapping[str, list[float]], ours: str, other: str) -> float:
    """The median over the rounds of our speed over the other's in the same round."""
    return statistics.median(a / b for a, b in zip(speeds[ours], speeds[other], strict=True))


def report(speeds: Mapping[str, list[float]]) -> None:
    """A table: the median and the spread of each contender."""
    print(f"{'':28}{'median/s':>12}{'slowest':>12}{'fastest':>12}")
    for name, values in speeds.items():
        print(f"{name:28}{statistics.median(values):12,.0f}{min(values):12,.0f}{max(values):12,.0f}")


def begin(
    parser: argparse.ArgumentParser, **more: object
) -> tuple[argparse.Namespace, Callable[[Mapping[str, Any]], None]]:
    """How a bench begins and ends: its options with ``--json``, and what it is measured on, which is printed now.

    The second answer takes what was found, and prints it as one JSON object where that was asked for.
    """
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    options = parser.parse_args()
    around = surroundings() | more
    print(" · ".join(f"{name} {value}" for name, value in around.items()))

    def end(found: Mapping[str, Any]) -> None:
        if options.json:
            print(json.dumps({"surroundings": around, **found}))

    return options, end


def surroundings() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cores": usable_cores(),
        "threads": torch.get_num_threads(),
        "load": [round(value, 2) for value in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        "torch": str(torch.__version__),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "date": time.strftime("%Y-%m-%d"),
    }
