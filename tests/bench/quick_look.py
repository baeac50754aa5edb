"""From a click to a trained network: ``python -m tests.bench.quick_look [--json] [--rounds N] [--browser]``.

The preset "quick look" (digits) is handed to a warm server as the page does it, again and again. Milliseconds from that
moment until the folder of the run shows: a process that has begun, its data ready, its first point, its end, and until
the store says that it has finished. Medians; nobody else trains meanwhile. With ``--browser`` also from the press of
*Train* in headless Chromium until the first curve and the test accuracy are on the page, each time in a new tab; the
first of all, right after the start, is told apart. With ``--json`` the last line is one JSON object.
"""

import argparse
import statistics
import time

from core.runs import store
from core.vision.recipe import PictureRecipe
from tests.bench._browser import warm_browser
from tests.bench._home import home_of_its_own
from tests.bench._timing import begin
from tests.e2e.server import running_app

ROUNDS = 7
MARKS = ("preparing", "started", "step", "finished")  # events, at whose first the clock is read
GOALS_S, CLICK_GOALS_S = {"step": 1.5, "ended": 8.0}, {"curve": 1.5, "accuracy": 8.0}
LONGEST_S = 60.0
SETTLE_MS = 2000  # for the page, before the press
WATCH = """
() => {
  const seen = window.__seen = {}
  addEventListener('pointerdown', event => { seen.pressed ??= event.timeStamp }, true)
  const look = () => {
    const now = performance.now() - seen.pressed
    if (now && document.querySelector('.js-plotly-plot path.js-line')) seen.curve ??= now
    const told = [...document.querySelectorAll('.stAlert')].some(one => one.textContent.includes('%'))
    if (now && told) seen.accuracy ??= now
    if (!seen.curve || !seen.accuracy) requestAnimationFrame(look)
  }
  look()
}
"""


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


def clicks(rounds: int) -> list[dict[str, float]]:
    """Milliseconds from the press to what is seen, the first of them right after the start."""
    found = []
    with home_of_its_own(), running_app() as url, warm_browser() as browser:
        for seed in range(rounds + 1):
            tab = browser.new_page()
            tab.goto(f"{url}/train?preset=quick-look&lang=en&seed={seed}")
            button = tab.locator(".st-key-train button")
            button.wait_for(timeout=LONGEST_S * 1e3)
            tab.wait_for_timeout(SETTLE_MS)
            tab.evaluate(WATCH)
            button.click()
            tab.wait_for_function("window.__seen.curve && window.__seen.accuracy", timeout=LONGEST_S * 1e3)
            found.append(tab.evaluate("({curve: window.__seen.curve, accuracy: window.__seen.accuracy})"))
            tab.close()
    return found


def _print(runs: list[dict[str, float]], names: tuple[str, ...]) -> dict[str, float]:
    """A row for each mark; the medians."""
    medians = {name: statistics.median(run[name] for run in runs) for name in names}
    for name, value in medians.items():
        values = [run[name] for run in runs]
        print(f"{name:30}{value:8,.0f}{min(values):9,.0f}{max(values):9,.0f}")
    return medians


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.quick_look", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--browser", action="store_true", help="also from the press in a browser")
    options, end = begin(parser)
    with home_of_its_own():
        one_run(PictureRecipe.preset("quick-look"))  # the first: everything is read from the disk
        runs = [one_run(PictureRecipe.preset("quick-look", seed=seed)) for seed in range(options.rounds)]
    print(f"{'ms from the hand-over until':30}{'median':>8}{'fastest':>9}{'slowest':>9}")
    medians = _print(runs, ("submitted", *MARKS, "ended"))
    goals = dict(GOALS_S)
    if options.browser:
        first, *others = clicks(options.rounds)
        print("ms from the press in a browser until")
        medians |= _print(others, tuple(CLICK_GOALS_S))
        print("the first: " + ", ".join(f"{name} {value:,.0f}" for name, value in first.items()))
        goals |= CLICK_GOALS_S
    rounded = {name: round(value, 1) for name, value in medians.items()}
    end({"ms": rounded, **{f"{name}_over_goal": round(medians[name] / 1e3 / goal, 4) for name, goal in goals.items()}})


if __name__ == "__main__":
    main()
