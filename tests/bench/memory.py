"""What a training process takes beyond its data: ``python -m tests.bench.memory [--json] [--models resnet18,…]``.

Real runs, through the queue, on as many drawn pictures as CIFAR-10 has (60,000 of 3×32×32 bytes: 184 MB), batch 128
with crop and flip, each until some checkpoints are written. The peaks of what the system says of the
worker, in MB less the data set's own bytes: *own* is memory that no other process has (USS), *share* adds its part of
what it shares with the other workers (PSS), *all* counts that in full, libraries included (RSS). Linux.
"""

import argparse
import contextlib
import json
import time
from typing import Any

import psutil

from core.runs import store
from core.vision.recipe import PictureRecipe
from tests.bench._home import home_of_its_own
from tests.bench._timing import surroundings

MODELS = ("article-net", "resnet20", "resnet18")
COUNT = 50_000  # pictures to learn from; the shapes add a fifth for the test
DATA_MB = COUNT * 6 / 5 * 3 * 32 * 32 / 1e6
STEPS = {"article-net": 300, "resnet20": 30, "resnet18": 8}
GOAL_MB = 600


def peaks(model: str, steps: int) -> dict[str, float]:
    """The most that a run of this model took, in MB beyond the data."""
    recipe = PictureRecipe(
        dataset=f"shapes:clutter=0,texture=0,count={COUNT}", model=model, optimizer="momentum", learning_rate=0.01,
        epochs=5, crop=4, flip=True, device="cpu",
    )  # fmt: skip
    run_id = store.submit(recipe)
    found = {"own": 0.0, "share": 0.0, "all": 0.0}
    while (run := store.get(run_id)).active:
        pid = run.folder.read_state().get("pid")
        with contextlib.suppress(psutil.NoSuchProcess):
            if pid is not None:
                now = psutil.Process(pid).memory_full_info()
                for name, value in (("own", now.uss), ("share", now.pss), ("all", now.rss)):
                    found[name] = max(found[name], value / 1e6 - DATA_MB)
        if _steps(run) >= steps:
            store.stop(run_id)
        time.sleep(0.3)
    if run.state != "stopped":
        raise RuntimeError(f"the run of {model} has {run.state}: {run.error}")
    return found


def _steps(run: store.Run) -> int:
    events, _ = run.folder.read_events()
    return max((int(event["step"]) for event in events if event["event"] == "step"), default=0)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.memory", description=__doc__)
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    parser.add_argument("--models", default=",".join(MODELS))
    options = parser.parse_args()
    around = surroundings()
    print(" · ".join(f"{name} {value}" for name, value in around.items()), f"· data {DATA_MB:.0f} MB")
    with home_of_its_own(ATLAS_CHECKPOINT_EVERY="2", ATLAS_TRAINERS="1"):
        found = {model: peaks(model, STEPS[model]) for model in options.models.split(",")}
    print(f"{'MB beyond the data':20}{'own':>10}{'share':>10}{'all':>10}")
    for model, values in found.items():
        print(f"{model:20}" + "".join(f"{values[name]:10.0f}" for name in ("own", "share", "all")))
    if options.json:
        rounded: dict[str, Any] = {m: {n: round(v, 1) for n, v in values.items()} for m, values in found.items()}
        share = max(values["share"] for values in found.values())
        print(json.dumps({"surroundings": around, "mb": rounded, "share_over_goal": round(share / GOAL_MB, 4)}))


if __name__ == "__main__":
    main()
