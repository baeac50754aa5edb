"""From a click to a trained network, without the browser: ``python -m tests.bench.quick_look [--json] [--rounds N]``.

The preset "quick look" (digits) is handed to a warm server as the page does it, again and again. Milliseconds from that
moment until the folder of the run shows: a process that has begun, its data ready, its first point, its end, and until
the store says that it has finished. Medians; nobody else trains meanwhile. With ``--json`` the last line is one JSON
object.
"""

import argparse
import statistics
import time

from core.runs import store
from core.vision.recipe import PictureRecipe
from tests.bench._home import home_of_its_own
from tests.bench._timing import begin

ROUNDS = 7
MARKS = ("preparing", "started", "step", "finished")  # events, at whose first the clock is read
GOALS_S = {"step": 1.5, "ended": 8.0}
LONGEST_S = 60.0


def one_run(recipe: PictureRecipe) -> dict[str, float]:
    """Milliseconds from the hand-over to each mark, and to the end as the store tells it ("ended")."""
    began = time.perf_counter()
    run_id = store.submit(recipe)
    found: dict[str, float] = {"submitted": 1e3 * (time.perf_counter() - began)}
    folder, offset = store.get(run_id).folder, 0
    while time.perf_counter() - began < LONGEST_S:
        events, offset = folder.read_events(offset)
        now = 1e3 * (time.perf_counter() - began)
        for event in events:
            found.setdefault(event["event"], now)
        if "finished" in found and store.get(run_id).state == "finished":
            found["ended"] = 1e3 * (time.perf_counter() - began)
            return found
        time.sleep(0.002)
    raise RuntimeError(f"the run has not finished: {store.get(run_id).state}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.quick_look", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options, end = begin(parser)
    with home_of_its_own():
        one_run(PictureRecipe.preset("quick-look"))  # the first: everything is read from the disk
        runs = [one_run(PictureRecipe.preset("quick-look", seed=seed)) for seed in range(options.rounds)]
    medians = {name: statistics.median(run[name] for run in runs) for name in ("submitted", *MARKS, "ended")}
    print(f"{'ms from the hand-over until':30}{'median':>8}{'fastest':>9}{'slowest':>9}")
    for name, value in medians.items():
        values = [run[name] for run in runs]
        print(f"{name:30}{value:8,.0f}{min(values):9,.0f}{max(values):9,.0f}")
    rounded = {name: round(value, 1) for name, value in medians.items()}
    ratios = {f"{name}_over_goal": round(medians[name] / 1e3 / goal, 4) for name, goal in GOALS_S.items()}
    end({"ms": rounded, **ratios})


if __name__ == "__main__":
    main()
