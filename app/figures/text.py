"""Texts and the models that learn them. Numbers in, plotly figures out."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.figures.plain import Plain, title
from app.figures.training import TRAINING, VALIDATION

Words = Mapping[str, str]
GREY, GREEN = "#8A8F98", "#009E73"
_LEGEND = {"orientation": "h", "y": -0.25}
_MARGIN = {"l": 10, "r": 10, "t": 10, "b": 10}


def zipf(found: Mapping[str, Any], words: Words) -> Plain:
    """Count against rank, both as logarithms, with the line fitted to them."""
    ranks = np.array(found["ranks"])
    dots = {"type": "scatter", "x": ranks, "y": np.array(found["counts"]), "mode": "markers", "name": words["counts"],
            "marker": {"color": TRAINING, "size": 6}}  # fmt: skip
    traces = [dots]
    if found["slope"] is not None and len(ranks) > 1:
        line = 10 ** (found["intercept"] + found["slope"] * np.log10(ranks))
        traces.append({"type": "scatter", "x": ranks, "y": line, "mode": "lines", "name": words["line"],
                       "line": {"color": VALIDATION, "dash": "dot"}})  # fmt: skip
    axis = {"type": "log", "dtick": 1}
    layout = {"xaxis": {**title(words["rank"]), **axis}, "yaxis": {**title(words["count"]), **axis}, "height": 400,
              "legend": _LEGEND, "margin": _MARGIN}  # fmt: skip
    return Plain(traces, layout)


def lengths(rows: Sequence[tuple[int, int]], words: Words) -> Plain:
    """How many have which length."""
    found = [length for length, _n in rows]
    bars = {"type": "bar", "x": found, "y": [n for _length, n in rows], "marker": {"color": TRAINING}}
    # From 0 to at least 10: a single length, as characters have, would fill the whole picture.
    across = {**title(words["length"]), "range": [0, 1.05 * max([10, *found])]}
    return Plain([bars], {"xaxis": across, "yaxis": title(words["count"]), "height": 280, "margin": _MARGIN})


def loss(steps: Sequence[Mapping[str, Any]], guesses: Mapping[str, float], factor: float, words: Words) -> Plain:
    """Loss against steps, times `factor`, with what guessing costs: name → loss."""
    looks = [event for event in steps if "validation_loss" in event]
    x = [event["step"] for event in steps]
    traces = [
        {"type": "scatter", "x": x, "y": [event["loss"] * factor for event in steps], "mode": "lines",
         "name": words["training"], "line": {"color": TRAINING}},
        *([{"type": "scatter", "x": [event["step"] for event in looks], "mode": "lines+markers",
            "name": words["validation"], "y": [event["validation_loss"] * factor for event in looks],
            "line": {"color": VALIDATION}}] if looks else []),
        *({"type": "scatter", "x": [x[0], x[-1]], "y": [value * factor] * 2, "mode": "lines", "name": name,
           "line": {"color": GREY if place else GREEN, "dash": "dot"}}
          for place, (name, value) in enumerate(guesses.items())),
    ]  # fmt: skip
    layout = {
        "xaxis": title(words["step"]), "yaxis": {**title(words["loss"]), "rangemode": "tozero"}, "height": 380,
        "legend": _LEGEND, "margin": _MARGIN, "uirevision": "loss",
    }  # fmt: skip
    return Plain(traces, layout)


def scaling(points: Sequence[tuple[float, float, str]], axis: str, words: Words) -> Plain:
    """Validation loss against what it took (parameters or floating-point operations), both as logarithms."""
    ordered = sorted(points)
    dots = {"type": "scatter", "x": [x for x, _y, _name in ordered], "y": [y for _x, y, _name in ordered],
            "text": [name for _x, _y, name in ordered], "mode": "lines+markers+text", "textposition": "top center",
            "marker": {"color": TRAINING, "size": 10}}  # fmt: skip
    spread = [math.log10(y) for _x, y, _name in ordered] or [0.0]
    wide = [math.log10(x) for x, _y, _name in ordered] or [0.0]
    layout = {
        "xaxis": {**title(axis), "type": "log", "range": [min(wide) - 0.3, max(wide) + 0.3], "exponentformat": "power"},
        "yaxis": {**title(words["loss"]), "type": "log", "range": [min(spread) - 0.08, max(spread) + 0.12]},
        "height": 320, "margin": _MARGIN, "showlegend": False,
    }  # fmt: skip
    return Plain([dots], layout)


def paths(runs: Mapping[str, tuple[Sequence[float], Sequence[float]]], axis: str, words: Words) -> Plain:
    """The way of several runs (x, validation loss), both as logarithms."""
    traces = [
        {"type": "scatter", "x": list(x), "y": list(y), "mode": "lines+markers", "name": name,
         "line": {"color": colour}}
        for (name, (x, y)), colour in zip(runs.items(), (TRAINING, VALIDATION, GREEN), strict=False)
    ]  # fmt: skip
    layout = {
        "xaxis": {**title(axis), "type": "log", "exponentformat": "power"},
        "yaxis": {**title(words["loss"]), "type": "log"},
        "height": 320, "legend": _LEGEND, "margin": _MARGIN,
    }  # fmt: skip
    return Plain(traces, layout)
