"""A slider moves, a chart follows: ``python -m tests.bench.sliders [--json] [--moves N] [--only TEXT] [--together S]``.

In a real Chromium a slider is moved by the arrow keys, always to a value that it has not had, so that no cache
answers. Milliseconds from the press (the event's own time) until the chart is drawn anew: plotly says so itself
("plotly_afterplot", with other data than before the press), and a graph by the last change of its SVG. Beside it what
the websocket brought for one move.

First each page alone, then a class: 29 visitors (websockets that speak Streamlit's protocol) who move a slider of a
maths page once a second, one Chromium among them, which is what is measured, and one training. All of it on this
machine, the class, too. With ``--json`` the last line is one JSON object.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import BrowserContext, Page

from core.language.recipe import LanguageRecipe
from core.runs import client, store
from core.vision.recipe import PictureRecipe
from tests.bench import load
from tests.bench._browser import warm_browser
from tests.bench._timing import surroundings
from tests.e2e.server import running_app
from tests.e2e.visitor import Visitor

VISITORS, EVERY_S = 29, 1.0
SETTLE_MS = 150  # a graph changes in several steps
WATCH = """
chart => {
  const move = window.__move = {pressed: 0, drawn: 0}
  let before = null, known = null
  const root = () => document.querySelector(`.st-key-${chart}`)
  const plot = () => root()?.querySelector('.js-plotly-plot')
  const graph = () => [...root()?.querySelectorAll('*') ?? []].find(one => one.shadowRoot)?.shadowRoot
  window.__drawable = () => !!(plot()?.data || graph())
  const attach = () => {
    const now = plot() ?? graph()
    if (now && now != known && (now.data || !plot())) {
      const anew = known && move.pressed && !move.drawn  // another chart in the old one's place, drawn already
      known = now
      if (anew) move.drawn = performance.now()
      if (now.on) now.on('plotly_afterplot', () => {
        if (!move.drawn && now.data != before) move.drawn = performance.now()
      })
      else new MutationObserver(() => { move.drawn = performance.now() })
        .observe(now, {subtree: true, childList: true, attributes: true, characterData: true})
    }
    requestAnimationFrame(attach)
  }
  attach()
  addEventListener('keydown', event => {
    if (!event.key.startsWith('Arrow')) return
    before = plot()?.data
    move.pressed = event.timeStamp
    move.drawn = 0
  }, true)
}
"""


@dataclass(frozen=True)
class Case:
    """A page by its link, a slider and a chart of it by their keys, and which way to move."""

    link: str
    slider: str
    chart: str
    key: str = "ArrowRight"
    most: int = 30  # moves until the slider is at its end
    open: str = ""  # the words on what has to be opened first
    model: bool = False  # whether it needs a language model


CASES = {
    "cross-entropy, steps": Case("cross-entropy?z=-5,1,0.1", "z-0", "bars"),
    "cross-entropy, film": Case("cross-entropy?part=fit&z=-5,1,0.1", "z-0", "film"),
    "cross-entropy, surface": Case("cross-entropy?part=surface&z=-5,1,0.1", "z-0", "surface"),
    "cross-entropy, squared error": Case("cross-entropy?part=curve&z=-5,1,0.1", "z-0", "curve"),
    "gradient steps, step": Case("gradient-steps?surface=ravine", "x0-ravine", "landscape"),
    "gradient steps, race of six": Case("gradient-steps?surface=ravine&part=race", "x0-ravine", "landscape"),
    "gradient steps, rates": Case("gradient-steps?surface=ravine&part=rates", "x0-ravine", "rates"),
    "backpropagation, graph": Case("backpropagation?k=8", "v-w1", "computation"),
    "backpropagation, check": Case("backpropagation?part=check&h=1e-10", "h", "difference"),
    "residual, another seed at 56 layers": Case("residual", "seed", "signal"),
    "residual, depth": Case("residual?seed=50", "depth", "signal", "ArrowLeft", 26),
    "playground, depth of the trees": Case(
        "playground?noise=1&tree_depth=1", "tree_depth", "plane-tree", most=9, open="Turn the classics"
    ),  # deeper than that the tree does not grow, and its picture stays as it is
    "playground, another start (200 epochs)": Case("playground", "start", "film", most=10),
    "text, vocabulary (BPE)": Case("text?part=frequency&tokens=bpe", "vocabulary", "zipf", "ArrowLeft", 7),
    "inside the model, temperature": Case("language-model?temperature=0", "temperature", "next", model=True),
}
AMONG_OTHERS = ("cross-entropy, steps", "gradient steps, step", "backpropagation, graph")
# Page, slider, lowest and highest value of what the visitors move.
OTHERS = (
    ("cross-entropy", "z-0", -10.0, 10.0),
    ("gradient-steps", "x0-ravine", -4.0, 4.0),
    ("backpropagation", "v.w1", -10.0, 10.0),
    ("residual", "seed", 0.0, 99.0),
)


@dataclass
class Moves:
    """What was seen of one slider."""

    ms: list[float] = field(default_factory=list)
    bytes: list[int] = field(default_factory=list)

    def summary(self) -> dict[str, float]:
        """Median, 95 % and the most in milliseconds, and the largest update in kB."""
        cuts = statistics.quantiles(self.ms, n=100, method="inclusive")
        return {
            "moves": len(self.ms), "p50": round(cuts[49], 1), "p95": round(cuts[94], 1), "most": round(max(self.ms), 1),
            "kb": round(max(self.bytes) / 1000, 1),
        }  # fmt: skip


@contextmanager
def _at(browser: BrowserContext, url: str, case: Case) -> Iterator[tuple[Page, Moves]]:
    """A tab on the page of a case, and what will have been seen there."""
    tab, moves = browser.new_page(), Moves()
    received = moves.bytes
    tab.on("websocket", lambda socket: socket.on("framereceived", lambda data: received.append(len(data))))
    tab.goto(f"{url}/{case.link}{'&' if '?' in case.link else '?'}lang=en")
    if case.open:
        tab.get_by_text(case.open).click()
    tab.locator(f".st-key-{case.slider} input[type=range]").first.wait_for(state="attached", timeout=60_000)
    tab.evaluate(WATCH, case.chart)
    tab.wait_for_function("window.__drawable()", timeout=60_000)
    tab.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    tab.wait_for_timeout(1000)
    received.clear()
    yield tab, moves
    tab.close()


def _move(tab: Page, moves: Moves, case: Case) -> None:
    """One press, and what came of it: one more time and one more size in `moves`."""
    before = len(moves.ms)
    tab.locator(f".st-key-{case.slider} input[type=range]").first.focus()
    tab.keyboard.press(case.key)
    tab.wait_for_function("window.__move.pressed && window.__move.drawn", timeout=30_000)
    tab.wait_for_timeout(SETTLE_MS)
    moves.ms.append(tab.evaluate("window.__move.drawn - window.__move.pressed"))
    moves.bytes[before:] = [sum(moves.bytes[before:])]


def alone(browser: BrowserContext, url: str, wanted: str, count: int) -> dict[str, dict[str, float]]:
    """Every case by itself; the first two moves warm up."""
    found = {}
    for name, case in CASES.items():
        if wanted not in name:
            continue
        if case.model:
            _bring_up_a_model()
        with _at(browser, url, case) as (tab, moves):
            for _ in range(min(count, case.most - 2) + 2):
                _move(tab, moves, case)
        found[name] = Moves(moves.ms[2:], moves.bytes[2:]).summary()
        print(_row(name, found[name]), flush=True)
    return found


def together(browser: BrowserContext, url: str, seconds: float) -> dict[str, Any]:
    """One Chromium among 29 visitors who all act once a second, beside a training."""
    server = load.listening_on(int(url.rsplit(":", 1)[1]))
    run = store.submit(PictureRecipe.preset("quick-look", **load.LONG))
    load._wait_until_they_train([run])
    memory: list[float] = []
    ms, sizes, theirs = [], [], []
    with ThreadPoolExecutor(1) as pool:
        ends = time.monotonic() + 0.2 * VISITORS + 10 + seconds
        others = pool.submit(asyncio.run, _class_moves(url, ends, theirs))
        time.sleep(0.2 * VISITORS + 5)
        share = (ends - time.monotonic()) / len(AMONG_OTHERS)
        for name in AMONG_OTHERS:
            until = time.monotonic() + share
            with _at(browser, url, CASES[name]) as (tab, moves):
                while (due := time.monotonic() + EVERY_S) < until and len(moves.ms) < CASES[name].most:
                    _move(tab, moves, CASES[name])
                    memory.append(server.memory_info().rss / 1e6)
                    tab.wait_for_timeout(max(0.0, 1000 * (due - time.monotonic())))
            ms += moves.ms
            sizes += moves.bytes[: len(moves.ms)]
        others.result()
    state = store.get(run).state
    store.stop(run)
    return {
        **Moves(ms, sizes).summary(), "visitors": VISITORS, "their_moves": len(theirs),
        **{f"their_{key}": value for key, value in Moves(theirs, [0]).summary().items() if key in ("p50", "p95")},
        "server_mb": round(max(memory)), "training": state,
    }  # fmt: skip


async def _class_moves(url: str, ends: float, ms: list[float]) -> None:
    async with asyncio.TaskGroup() as group:
        for place in range(VISITORS):
            group.create_task(_one_moves(url, place, ends, ms))
            await asyncio.sleep(0.2)


async def _one_moves(url: str, place: int, ends: float, ms: list[float]) -> None:
    page, slider, low, high = OTHERS[place % len(OTHERS)]
    chance = random.Random(place)
    async with Visitor(url, page, "lang=en") as visitor:
        await visitor.load()
        due = time.monotonic() + chance.random()
        while due < ends:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            value = chance.uniform(low, high)
            ms.append(1000 * await visitor.slide(slider, round(value) if slider == "seed" else round(value, 1)))
            due = max(due + EVERY_S, time.monotonic())
        assert not visitor.failed, page


def _row(name: str, one: dict[str, float]) -> str:
    return f"| {name} | {one['p50']:.0f} | {one['p95']:.0f} | {one['most']:.0f} | {one['kb']:.0f} | {one['moves']} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.sliders", description=__doc__)
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    parser.add_argument("--moves", type=int, default=30)
    parser.add_argument("--only", default="", help="cases with this in their name; none for none")
    parser.add_argument("--together", type=float, default=60, help="seconds with a class; 0 for none")
    options = parser.parse_args()
    print(" · ".join(f"{name} {value}" for name, value in surroundings().items()))
    print("| slider → chart, ms | p50 | p95 | most | kB | moves |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        os.environ["ATLAS_HOME"] = home
        with running_app() as url, warm_browser() as browser:
            found: dict[str, Any] = alone(browser, url, options.only, options.moves)
            class_ = together(browser, url, options.together) if options.together else {}
        client.shutdown()
    if class_:
        print(_row(f"one of {VISITORS + 1} browsers, beside a training", class_))
        print(" · ".join(f"{key} {value}" for key, value in class_.items()))
    if options.json:
        print(json.dumps({"surroundings": surroundings(), "alone": found, "together": class_}))


def _bring_up_a_model() -> None:
    """One that a slider can be moved on; what it has learnt does not matter."""
    run = store.submit(LanguageRecipe.preset("a-minute", documents=640, tuning_steps=2, smeared_keys=False))
    while store.get(run).state not in ("finished", "failed"):
        time.sleep(0.2)


if __name__ == "__main__":
    main()
