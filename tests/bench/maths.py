"""How quickly the maths pages answer: ``python -m tests.bench.maths [--json] [--rounds N]``.

A control is moved and the whole script of the page runs, as for a first visit; in the browser only the page's fragment
runs, so these are upper bounds. The payload is what the charts send. With ``--json`` the last line is one JSON object.
"""

import argparse
import json
import logging
import os
import statistics
import tempfile
import time
import warnings
from typing import Any

from tests.bench._timing import surroundings

CASES: dict[str, tuple[str, str, dict[str, str], list[float]]] = {
    # name: page, the slider's key, the rest of the link, the values it is moved through
    "cross-entropy, steps": ("cross-entropy", "z-0", {}, [1.0, 2.0, 3.0]),
    "cross-entropy, 10 classes": ("cross-entropy", "z-0", {"classes": "10"}, [1.0, 2.0, 3.0]),
    "cross-entropy, film": ("cross-entropy", "z-0", {"part": "fit"}, [1.0, 2.0, 3.0]),
    "cross-entropy, surface": ("cross-entropy", "z-0", {"part": "surface"}, [1.0, 2.0, 3.0]),
    "cross-entropy, squared error": ("cross-entropy", "z-0", {"part": "curve"}, [1.0, 2.0, 3.0]),
    "gradient steps, step": ("gradient-steps", "x0-ravine", {}, [-3.0, -2.0, -1.0]),
    "gradient steps, race of six": ("gradient-steps", "x0-ravine", {"part": "race"}, []),
    "gradient steps, race, network": ("gradient-steps", "x0-digits", {"part": "race", "surface": "digits"}, []),
    "gradient steps, rates": ("gradient-steps", "x0-ravine", {"part": "rates"}, [-3.0, -2.0, -1.0]),
    "backpropagation, neuron": ("backpropagation", "v.w1", {"k": "8"}, [1.0, 2.0, 3.0]),
    "backpropagation, check": ("backpropagation", "v.w1", {"part": "check"}, []),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.maths", description=__doc__)
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as home:
        os.environ["ATLAS_HOME"] = home
        from core.runs import client
        from tests.app.opening import charts, opened

        print(" · ".join(f"{name} {value}" for name, value in surroundings().items()))
        print(f"{'':34}{'median ms':>10}{'slowest':>10}{'kB':>8}")
        found = {}
        for name, (page, slider, link, values) in CASES.items():
            app = opened(page, **link)
            times, sizes = [], []
            for turn in range(options.rounds + 2):
                # Without a list every value is a new one, so that nothing comes out of a cache.
                value = values[turn % len(values)] if values else round(-1 + 0.02 * turn, 2)
                app.slider(key=slider).set_value(value)
                began = time.perf_counter()
                app.run()
                times.append(1000 * (time.perf_counter() - began))
                sizes.append(sum(len(json.dumps(figure)) for figure in charts(app)))
            assert not app.exception, name
            times = times[2:]
            found[name] = {"ms": statistics.median(times), "kb": max(sizes) / 1000}
            print(f"{name:34}{found[name]['ms']:10.0f}{max(times):10.0f}{found[name]['kb']:8.0f}")
        for name, seconds in _residual(client).items():
            found[name] = {"ms": 1000 * seconds}
            print(f"{name:34}{1000 * seconds:10.0f}")
        client.shutdown()
    if options.json:
        print(json.dumps({"surroundings": surroundings(), "pages": found}))


def _residual(client: Any) -> dict[str, float]:
    """Seconds of the two heavy calls of the page on residual connections, at its greatest depth; medians."""
    nets = {"depth": 56, "activation": "relu", "initialisation": "he", "normalised": True, "after": True}
    norms = [_seconds(client, "norms", **nets, data="digits", seed=seed) for seed in range(5)]
    races = [
        _seconds(client, "race", **nets, shallow=20, seed=seed, learning_rate=0.03, epochs=15) for seed in range(3)
    ]
    return {"residual, norms of 56 layers": statistics.median(norms), "residual, race": statistics.median(races)}


def _seconds(client: Any, function: str, **arguments: Any) -> float:
    began = time.perf_counter()
    client.call(f"core.maths.residual:{function}", timeout=120.0, **arguments)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
