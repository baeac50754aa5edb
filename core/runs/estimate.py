"""When a waiting run may begin: an estimate from what the same server has measured, or none."""

import json
import statistics
import time
from functools import lru_cache
from typing import Any

from core import settings
from core.home import atlas_home
from core.runs import index

FRESH_S = 3  # seconds for which an estimate is believed: a class that waits asks for it every second
_PAST = 200  # finished runs that are looked at


def seconds_until(run_id: str) -> float | None:
    """Seconds until a queued run is begun, or None when nothing that was measured tells."""
    return _starts(str(atlas_home()), int(time.time() // FRESH_S)).get(run_id)


@lru_cache(maxsize=1)
def _starts(home: str, moment: int) -> dict[str, float | None]:
    """When every queued run may begin: the trainers take them one after the other, each as soon as it is free."""
    del home, moment  # what the answer is kept by
    states = index.rows("state IN ('running', 'stopping', 'queued')")
    past = index.rows("state = 'finished'")[:_PAST]
    now = time.time()
    free: list[float | None] = [_left(state, past, now) for state in states if state["state"] != "queued"]
    free += [0.0] * (settings.load().trainers - len(free))
    known = {state["id"]: state for state in states}
    starts: dict[str, float | None] = {}
    for run_id in index.waiting():
        if run_id in known:
            begin = min(free, key=lambda at: float("inf") if at is None else at)
            takes = _takes(known[run_id], past)
            starts[run_id] = begin
            free[free.index(begin)] = None if begin is None or takes is None else begin + takes
    return starts


def _left(state: dict[str, Any], past: list[dict[str, Any]], now: float) -> float | None:
    takes = _takes(state, past)
    return None if takes is None else max(1.0, takes - (now - state["claimed"]))


def _takes(state: dict[str, Any], past: list[dict[str, Any]]) -> float | None:
    """Seconds from the beginning of a run to its end, by the finished runs that are most like it."""
    mine = _kind(state)
    for alike in (mine, mine[:3], mine[:1]):
        seconds = [_seconds(one) for one in past if _kind(one)[: len(alike)] == alike]
        if seconds:
            return statistics.median(seconds)
    return None


def _kind(state: dict[str, Any]) -> tuple[Any, ...]:
    recipe = _recipe(state["recipe"])
    return tuple(recipe.get(field) for field in ("task", "model", "dataset", "epochs", "train_limit"))


@lru_cache(maxsize=1000)
def _recipe(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


def _seconds(state: dict[str, Any]) -> float:
    return max(0.0, (state["ended"] or 0.0) - (state["claimed"] or state["started"] or 0.0))
