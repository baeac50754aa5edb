"""Pictures of cross-entropy. Numbers in, plotly figures out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.figures.palette import BLUE, GREEN, GREY, RED
from app.figures.plain import Plain, Trace, title, two_panels
from app.figures.playback import film_of
from app.text import for_plotly
from core.maths import cross_entropy as maths
from core.maths.cross_entropy import Array

SECOND = {"xaxis": "x2", "yaxis": "y2"}
CATEGORY = {"type": "category"}
Words = Mapping[str, str]


def _named(names: Sequence[str]) -> list[str]:
    """Classes may be named by whoever made the data set."""
    return [for_plotly(name) for name in names]


def _bars(names: Sequence[str], p: Array, y: Array) -> list[Trace]:
    return [
        {"type": "bar", "x": _named(names), "y": values, "name": name, "marker": {"color": colour}}
        for values, name, colour in ((p, "p", BLUE), (y, "y", GREEN))
    ]


def bars(names: Sequence[str], p: Array, y: Array, gradient: Array, words: Words) -> Plain:
    """Probabilities beside targets, and the gradient by each logit."""
    colours = [RED if value > 0 else BLUE for value in gradient]
    pulls = {"type": "bar", "x": _named(names), "y": gradient, "marker": {"color": colours}, "showlegend": False}
    layout = two_panels(
        (words["p"], words["gradient"]), x=(CATEGORY, CATEGORY), y=({"range": [0, 1.02]}, {}), height=280,
        legend={"orientation": "h", "y": -0.2},
    )  # fmt: skip
    return Plain([*_bars(names, p, y), {**pulls, **SECOND}], layout)


def film(names: Sequence[str], path: Array, y: Array, t: float, words: Words) -> Plain:
    """Probabilities and loss at each step of `path` (steps + 1, K), played by the browser."""
    p, losses = maths.softmax(path, t), maths.cross_entropy(path, y, t)
    steps = np.arange(len(losses))
    curve = {"type": "scatter", "mode": "lines", "x": steps, "y": losses, "line": {"color": GREY}, "showlegend": False}
    here = {"type": "scatter", "mode": "markers", "x": [0], "y": losses[:1].tolist(),
            "marker": {"color": RED, "size": 11}, "showlegend": False}  # fmt: skip
    layout = two_panels(
        (words["p"], words["loss"]), x=(CATEGORY, title(words["step"])),
        y=({"range": [0, 1.02]}, {"rangemode": "tozero"}), height=310, legend={"x": 0.3, "y": 0.98},
    )  # fmt: skip
    frames = [
        [
            {"type": "bar", "y": np.round(now, 4).tolist()},
            {"type": "scatter", "x": [step], "y": [round(float(loss), 5)]},
        ]
        for step, (now, loss) in enumerate(zip(p, losses, strict=True))
    ]
    return film_of([*_bars(names, p[0], y), {**curve, **SECOND}, {**here, **SECOND}], layout, frames, (0, 3),
                   words["frame"])  # fmt: skip


def loss_surface(
    axis: Array, height: Array, point: tuple[float, float, float], labels: tuple[str, str], words: Words
) -> Plain:
    """The loss over two logits, with where we stand."""
    ground = {"type": "surface", "x": axis, "y": axis, "z": height, "colorscale": "Cividis", "opacity": 0.92,
              "showscale": False}  # fmt: skip
    x, y, z = point
    here = {"type": "scatter3d", "mode": "markers", "x": [x], "y": [y], "z": [z], "marker": {"color": RED, "size": 6}}
    scene = {
        "xaxis": title(for_plotly(labels[0])), "yaxis": title(for_plotly(labels[1])), "zaxis": title(words["loss"]),
        "camera": {"eye": {"x": 1.5, "y": -1.5, "z": 0.9}},
    }  # fmt: skip
    layout = {"height": 460, "margin": {"l": 0, "r": 0, "t": 0, "b": 0}, "scene": scene, "showlegend": False,
              "uirevision": "surface"}  # fmt: skip
    return Plain([ground, here], layout)


def against_probability(p: float, words: Words) -> Plain:
    """Loss against the probability of the true class; how strongly each loss pulls at the logit (two classes)."""
    axis = np.linspace(0.002, 0.998, 250)
    z = np.log(axis / (1 - axis))
    pair, y = np.stack([z, np.zeros_like(z)], axis=-1), np.array([1.0, 0.0])
    curves: tuple[tuple[str, str, Any, Any], ...] = (
        (words["cross-entropy"], BLUE, maths.cross_entropy(pair, y), np.abs(maths.gradient(pair, y)[:, 0])),
        (words["squared"], RED, maths.squared_error(pair, y), np.abs(maths.squared_error_gradient(pair, y)[:, 0])),
    )
    traces: list[Trace] = []
    for name, colour, loss, pull in curves:
        line = {"type": "scatter", "mode": "lines", "x": axis, "name": name, "line": {"color": colour}}
        traces += [{**line, "y": loss}, {**line, "y": pull, "showlegend": False, **SECOND}]
    mark = {"type": "line", "x0": p, "x1": p, "y0": 0, "y1": 1, "line": {"color": GREY, "dash": "dot"}}
    across = {**title(words["probability"]), "range": [0, 1]}
    layout = two_panels(
        (words["loss"], words["pull"]), x=(across, across), y=({}, {}), height=340,
        legend={"orientation": "h", "y": 1.25}, margin={"l": 10, "r": 10, "t": 70, "b": 10},
        shapes=[{**mark, "xref": "x", "yref": "y domain"}, {**mark, "xref": "x2", "yref": "y2 domain"}],
    )  # fmt: skip
    return Plain(traces, layout)


def binary(z: float, y: float, words: Words) -> Plain:
    """The loss of one logit, and its gradient: the sigmoid less the target."""
    axis = np.linspace(-10, 10, 201)
    line = {"type": "scatter", "mode": "lines", "x": axis}
    loss = {**line, "y": maths.binary_cross_entropy(axis, y), "name": words["loss"], "line": {"color": BLUE}}
    slope = {**line, "y": maths.sigmoid(axis) - y, "name": "σ(z) − y", "line": {"color": RED}}
    here = {"type": "scatter", "mode": "markers", "x": [z], "y": [float(maths.binary_cross_entropy(z, y))],
            "marker": {"color": BLUE, "size": 11}, "showlegend": False}  # fmt: skip
    layout = {"xaxis": title("z"), "height": 320, "margin": {"l": 10, "r": 10, "t": 40, "b": 10},
              "legend": {"orientation": "h", "y": 1.2}}  # fmt: skip
    return Plain([loss, slope, here], layout)
