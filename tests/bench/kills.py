"""``python -m tests.bench.kills [--count 200] [--seed 0] [--minutes 60] [--json]``: training survives kill -9.

Kills the process that trains, half of the times while it writes a checkpoint (the system tells the moment; that the
kill came inside is seen by the temporary file it leaves), the others at random moments; every tenth time the
supervisor and all its processes with it, as a power cut would. After each kill: is every run still there and readable,
and how long is it called running though nobody trains it? Finished runs must have the weights, bit for bit, and the
losses of one that nobody disturbed. Several shorter ones, each with a seed of its own, are as good as a long one.
Linux, CPU.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from core.runs import client, store
from core.runs.store import Run
from core.training.weights import read_state
from core.vision.recipe import PictureRecipe
from tests.bench._timing import surroundings
from tests.bench._writes import Writes

LONGEST_S = 15.0  # a run may be called running so long after its process died
SETTINGS = {"ATLAS_CHECKPOINT_EVERY": "0.02", "ATLAS_TRAINERS": "1", "ATLAS_THREADS": "1", "ATLAS_IDLE_EXIT": "120"}
# Its checkpoints have some megabytes, so that a kill can come inside one.
RECIPE = {"model": "resnet20", "device": "cpu", "epochs": 12, "train_limit": 320, "crop": 1, "flip": True, "cutout": 2}


@dataclass
class Found:
    """What came of all the kills."""

    kills: int = 0
    inside: int = 0  # of them, those that came while a checkpoint was written
    anywhere: int = 0  # of them, those at random moments; the rest came too late for a checkpoint
    cuts: int = 0  # of them, those of everything at once
    given_up: int = 0  # runs that were interrupted after three deaths without progress, and resumed by hand
    finished: int = 0
    silent_s: list[float] = field(default_factory=list)  # from a kill until somebody else trains
    wrong: list[str] = field(default_factory=list)


class Killer:
    """One home, one run at a time, and what becomes of it."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.found = Found()
        self.ids: set[str] = set()
        self.weights, self.losses = b"", [0.0]

    def undisturbed(self) -> None:
        run = self._until(self._submit(), "finished", seconds=600)
        self.weights, self.losses = run.folder.weights_file.read_bytes(), _losses(run)

    def kill_until(self, count: int, minutes: float) -> None:
        run_id = self._submit()
        ends = time.monotonic() + 60 * minutes
        while not self._enough(count) and not self.found.wrong:
            if time.monotonic() > ends:
                break
            run = self._until(run_id, "running", "finished", "interrupted", "failed")
            if run.state == "interrupted":
                self.found.given_up += 1
                store.resume(run_id)
            elif run.state == "running":
                self._kill(run)
            else:
                self._check_end(run)
                run_id = self._submit()
        run = self._until(run_id, "finished", "interrupted", "failed", seconds=600)
        if run.state == "interrupted":
            store.resume(run_id)
            run = self._until(run_id, "finished", "failed", seconds=600)
        self._check_end(run)

    def _enough(self, count: int) -> bool:
        """So many kills, half of them inside a checkpoint and half anywhere; one of these may be inside one, too."""
        half = count // 2
        return self.found.kills >= count and self.found.inside >= half and self.found.anywhere >= count - half

    def _submit(self) -> str:
        run_id = store.submit(PictureRecipe.preset("quick-look", **RECIPE))
        self.ids.add(run_id)
        return run_id

    def _kill(self, run: Run) -> None:
        """Kill the trainer of a run at some moment; then see what is left, and wait for its successor."""
        pid = self._trainer(run)
        if pid is None:
            return
        forced = self.found.inside <= self.found.anywhere
        temporary = run.folder.checkpoint_file.with_name(run.folder.checkpoint_file.name + ".tmp")
        before = temporary.stat().st_mtime_ns if temporary.exists() else 0
        if forced:
            with Writes(run.folder.path, temporary.name) as writes:
                if not writes.wait(20):
                    return  # it ended
            if later := self.chance.choice((0, 0, 0, 1e-4)):
                time.sleep(later)
        else:
            time.sleep(self.chance.uniform(0, 3))
        cut = not forced and self.found.anywhere % 5 == 4
        if not (cut_the_power() if cut else _killed(pid)):
            return
        died = time.monotonic()
        self.found.kills += 1
        self.found.anywhere += not forced
        self.found.cuts += cut
        self.found.inside += temporary.exists() and temporary.stat().st_mtime_ns != before
        self._check_all()
        self._wait_for_successor(run.id, pid, died)

    def _trainer(self, run: Run) -> int | None:
        """The process that trains a run, once it does."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            state = run.folder.read_state()
            if state.get("state") != "running":
                return None
            if state.get("pid") and psutil.pid_exists(state["pid"]):
                return int(state["pid"])
            time.sleep(0.002)
        self.found.wrong.append(f"{run.id} has no trainer")
        return None

    def _wait_for_successor(self, run_id: str, dead: int, died: float) -> None:
        while True:
            run = store.get(run_id)  # as a page would: it also wakes a supervisor when there is none
            if run.state != "running" or run.folder.read_state().get("pid") not in (None, dead):
                self.found.silent_s.append(time.monotonic() - died)
                return
            if time.monotonic() - died > LONGEST_S:
                self.found.wrong.append(f"{run_id} is called running {LONGEST_S} s after its process was killed")
                return
            time.sleep(0.01)

    def _check_all(self) -> None:
        """Every run is there and every file of it is whole."""
        listed = {run.id: run for run in store.list_runs()}
        for run_id in self.ids - listed.keys():
            self.found.wrong.append(f"{run_id} is lost")
        for run in listed.values():
            lines = run.folder.metrics_file.read_bytes().split(b"\n") if run.folder.metrics_file.exists() else []
            try:
                json.loads(run.folder.state_file.read_bytes())
                for line in lines[:-1]:
                    json.loads(line)
                with contextlib.suppress(FileNotFoundError):
                    read_state(run.folder.checkpoint_file)
            except Exception as error:  # whatever it is, it is what we are looking for
                self.found.wrong.append(f"{run.id} is broken: {error!r}")

    def _check_end(self, run: Run) -> None:
        if run.state != "finished":
            self.found.wrong.append(f"{run.id} is {run.state}: {run.error}")
            return
        self.found.finished += 1
        if _without_header(run.folder.weights_file.read_bytes()) != _without_header(self.weights):
            self.found.wrong.append(f"{run.id} has other weights")
        if _losses(run) != self.losses:
            self.found.wrong.append(f"{run.id} has other losses")

    def _until(self, run_id: str, *states: str, seconds: float = 60) -> Run:
        deadline = time.monotonic() + seconds
        while (run := store.get(run_id)).state not in states:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{run_id} is still {run.state}")
            time.sleep(0.005)
        return run


def _losses(run: Run) -> list[float]:
    return [event["loss"] for event in run.folder.read_events()[0] if event["event"] == "step"]


def _without_header(weights: bytes) -> bytes:
    """The tensors of a safetensors file alone; its header holds times."""
    return weights[8 + int.from_bytes(weights[:8], "little") :]


def _killed(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)  # at once: a checkpoint is written within a millisecond or two
    except ProcessLookupError:
        return False
    return True


def cut_the_power() -> bool:
    """Kill the supervisor and all it has started, all at once."""
    state = client.ping()
    if state is None:
        return False
    with contextlib.suppress(psutil.NoSuchProcess):
        supervisor = psutil.Process(state["pid"])
        everybody = [supervisor, *supervisor.children(recursive=True)]
        for process in everybody:
            process.suspend()
        for process in everybody:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(everybody, 5)
        return True
    return False


def measured(count: int, seed: int = 0, minutes: float = 60) -> dict[str, Any]:
    """Kill so often, or so long, in a home of its own; what was found, as plain values."""
    with tempfile.TemporaryDirectory() as home:
        before = {name: os.environ.get(name) for name in ("ATLAS_HOME", *SETTINGS)}
        os.environ.update({"ATLAS_HOME": home, **SETTINGS})
        began = time.monotonic()
        killer = Killer(seed)
        try:
            killer.undisturbed()
            killer.kill_until(count, minutes)
            left = [path.name for path in Path(home, "runs").rglob("*.tmp")]
        finally:
            client.shutdown()
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
    found = killer.found
    return {
        "kills": found.kills, "inside_a_checkpoint": found.inside, "anywhere": found.anywhere,
        "of_everything": found.cuts, "runs": len(killer.ids), "finished": found.finished,
        "given_up_and_resumed": found.given_up, "steps_each": len(killer.losses),
        "silent_s_median": round(statistics.median(found.silent_s or [0]), 2),
        "silent_s_most": round(max(found.silent_s or [0]), 2),
        "orphans": left, "wrong": found.wrong, "minutes": round((time.monotonic() - began) / 60, 1),
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.kills", description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=60, help="then no more are begun")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    options = parser.parse_args()
    with contextlib.suppress(PermissionError):
        os.nice(-10)  # to be there before the checkpoint is written
    found = measured(options.count, options.seed, options.minutes)
    print(" · ".join(f"{name} {value}" for name, value in surroundings().items()))
    for name, value in found.items():
        print(f"{name:24}{value}")
    if options.json:
        print(json.dumps({"surroundings": surroundings(), **found}))
    return bool(found["wrong"])


if __name__ == "__main__":
    sys.exit(main())
