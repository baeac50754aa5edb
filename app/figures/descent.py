"""Walks down a landscape. Numbers in, plotly figures out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.figures.palette import BLUE, COLOURS, GREEN, GREY, RED
from app.figures.plain import Plain, Trace, title, two_panels
from app.figures.playback import film_of
from core.maths.surfaces import Array

SECOND = {"xaxis": "x2", "yaxis": "y2"}
MOST_FRAMES = 80
Words = Mapping[str, str]
Axes = tuple[Array, ...]  # the grid of each coordinate
Paths = Mapping[str, tuple[Array, Array]]  # name: points (steps + 1, D) and losses (steps + 1,)


def landscape(axes: Axes, height: Array, paths: Paths, words: Words, shown: int) -> Plain:
    """Landscape with the first `shown` steps of each path at the left, loss against step at the right."""
    traces = [*_ground(axes, height), *_walks(paths, shown)]
    for colour, (points, losses) in zip(COLOURS, paths.values(), strict=False):
        x, y = _flat(points[shown : shown + 1], losses[shown : shown + 1])
        here = {"type": "scatter", "mode": "markers", "marker": {"color": colour, "size": 12}, "showlegend": False}
        traces += [{**here, "x": x, "y": y}, {**here, "x": [shown], "y": _gaps(losses[shown : shown + 1]), **SECOND}]
    return Plain(traces, _layout(axes, height, paths, words))


def film(axes: Axes, height: Array, paths: Paths, words: Words) -> Plain:
    """The race, played by the browser: the paths lie there, the runners move."""
    traces = [*_ground(axes, height), *_walks(paths, None)]
    runners, at_loss = _runners(paths)
    marker = {"color": list(COLOURS[: len(paths)]), "size": 12, "line": {"color": "white", "width": 1}}
    moving = {"type": "scatter", "mode": "markers", "marker": marker, "showlegend": False}
    frames = [
        [{"type": "scatter", "x": x, "y": y}, {"type": "scatter", "x": steps, "y": losses}]
        for (x, y), (steps, losses) in zip(runners, at_loss, strict=True)
    ]
    traces += [{**moving, **frames[0][0]}, {**moving, **frames[0][1], **SECOND}]
    layout = _layout(axes, height, paths, words)
    return film_of(traces, layout, frames, (len(traces) - 2, len(traces) - 1), words["frame"], _ticks(paths))


def film_3d(axes: Axes, height: Array, paths: Paths, words: Words) -> Plain:
    """The same race in the landscape's third dimension; `paths` hold heights instead of losses."""
    lift = 0.01 * float(np.ptp(height))  # a line in the surface itself would be half hidden
    lines = [[_gaps(points[:, 0]), _gaps(points[:, 1]), _gaps(z + lift)] for points, z in paths.values()]
    traces: list[Trace] = [
        {"type": "surface", "x": axes[0], "y": axes[1], "z": height, "colorscale": "Cividis", "showscale": False,
         "opacity": 0.9}
    ]  # fmt: skip
    for colour, name, (x, y, z) in zip(COLOURS, paths, lines, strict=False):
        line = {"color": colour, "width": 5}
        traces.append({"type": "scatter3d", "mode": "lines", "x": x, "y": y, "z": z, "line": line, "name": name})
    spots = [[[line[axis][k] for line in lines] for axis in range(3)] for k in _ticks(paths)]
    frames: list[list[Trace]] = [[{"type": "scatter3d", "x": x, "y": y, "z": z}] for x, y, z in spots]
    marker = {"color": list(COLOURS[: len(paths)]), "size": 6}
    traces.append({"mode": "markers", "marker": marker, "showlegend": False, **frames[0][0]})
    scene = {
        "xaxis": {"range": [axes[0][0], axes[0][-1]]},
        "yaxis": {"range": [axes[1][0], axes[1][-1]]},
        "zaxis": {**title(words["height"]), "range": [float(height.min()), float(height.max())]},
        "camera": {"eye": {"x": 1.4, "y": -1.4, "z": 1.1}},
    }
    layout = {"height": 480, "margin": {"l": 0, "r": 0, "t": 0, "b": 0}, "scene": scene,
              "legend": {"orientation": "h", "y": 1.02}, "uirevision": "3d"}  # fmt: skip
    return film_of(traces, layout, frames, (len(traces) - 1,), words["frame"], _ticks(paths))


def by_learning_rate(
    rates: Array, losses: Array, now: float, start: float, limit: float | None, words: Words
) -> Plain:
    """The loss after the walk against the learning rate, both on log scales."""
    shown = np.where(np.isfinite(losses) & (losses > 0), np.maximum(losses, 1e-12), np.nan)
    low, high = float(np.nanmin(shown)) / 3, 100 * max(start, 1e-12)
    curve: Trace = {"x": rates, "y": _gaps(shown), "line": {"color": BLUE}, "name": words["after"]}
    marks = [(words["start"], [rates[0], rates[-1]], [start, start], GREY, "dot")]
    marks += [(words["now"], [now, now], [low, high], GREEN, "solid")]
    marks += [(words["limit"], [limit, limit], [low, high], RED, "dash")] if limit is not None else []
    lines: list[Trace] = [  # lines, because a legend names them where a label would hide the curve
        {"x": x, "y": y, "line": {"color": colour, "dash": dash, "width": 1.5}, "name": name}
        for name, x, y, colour, dash in marks
    ]
    layout = {
        "xaxis": {**title(words["rate"]), "type": "log", "exponentformat": "power", "dtick": 1},
        "yaxis": {**title(words["after"]), "type": "log", "exponentformat": "power",
                  "range": [float(np.log10(low)), float(np.log10(high))]},
        "height": 380, "margin": {"l": 10, "r": 10, "t": 40, "b": 10}, "legend": {"orientation": "h", "y": 1.15},
    }  # fmt: skip
    return Plain([{"type": "scatter", "mode": "lines", **line} for line in (curve, *lines)], layout)


def schedule(shares: Sequence[float], words: Words) -> Plain:
    """The learning rate at each step."""
    line = {"type": "scatter", "mode": "lines", "y": list(shares), "line": {"color": BLUE, "shape": "hv"}}
    layout = {"xaxis": title(words["step"]), "yaxis": {**title(words["rate"]), "rangemode": "tozero"}, "height": 200,
              "margin": {"l": 10, "r": 10, "t": 20, "b": 10}}  # fmt: skip
    return Plain([line], layout)


def _layout(axes: Axes, height: Array, paths: Paths, words: Words) -> dict[str, Any]:
    finite = np.concatenate([losses[np.isfinite(losses)] for _points, losses in paths.values()])
    first = max(float(losses[0]) for _points, losses in paths.values())
    low = min(0.0, float(finite.min()))
    losses_shown = {"range": [low - 0.03 * (first - low), low + 1.3 * (first - low)]}
    margin = 0.06 * float(np.ptp(height))
    edges = (axes[1][0], axes[1][-1]) if len(axes) == 2 else (height.min() - margin, height.max() + margin)
    return two_panels(
        (words["landscape"], words["loss"]), 0.62, x=({"range": [axes[0][0], axes[0][-1]]}, title(words["step"])),
        y=({"range": list(map(float, edges))}, losses_shown), height=450, dragmode="pan",
        margin={"l": 10, "r": 10, "t": 80, "b": 10}, legend={"orientation": "h", "y": 1.25},
    )  # fmt: skip


def _ground(axes: Axes, height: Array) -> list[Trace]:
    """The curve, or the contours."""
    if len(axes) == 1:
        return [{"type": "scatter", "mode": "lines", "x": axes[0], "y": height, "line": {"color": GREY, "width": 2},
                 "showlegend": False}]  # fmt: skip
    return [
        {"type": "contour", "x": axes[0], "y": axes[1], "z": height, "colorscale": "Cividis", "showscale": False,
         "ncontours": 24, "line": {"width": 0.6}, "hoverinfo": "none"},
    ]  # fmt: skip


def _walks(paths: Paths, shown: int | None) -> list[Trace]:
    """Each path in the landscape, up to step `shown` with a dot at each step, or whole; and its losses."""
    mode = "lines" if shown is None else "lines+markers"
    traces: list[Trace] = []
    for colour, (name, (points, losses)) in zip(COLOURS, paths.items(), strict=False):
        upto = slice(0, None if shown is None else shown + 1)
        x, y = _flat(points[upto], losses[upto])
        line = {"type": "scatter", "name": name, "line": {"color": colour, "width": 2}}
        traces.append({**line, "mode": mode, "marker": {"size": 5}, "x": x, "y": y})
        traces.append({**line, "mode": "lines", "y": _gaps(losses), "showlegend": False, **SECOND})
    return traces


def _flat(points: Array, losses: Array) -> tuple[list[float | None], list[float | None]]:
    """What is drawn as x and y: both coordinates, or the only one and the loss."""
    return _gaps(points[:, 0]), _gaps(points[:, 1] if points.shape[1] == 2 else losses)


def _ticks(paths: Paths) -> range:
    """The steps that have a frame."""
    steps = max(len(losses) for _points, losses in paths.values())
    return range(0, steps, -(-(steps - 1) // MOST_FRAMES))


def _runners(paths: Paths) -> tuple[list[tuple[Any, Any]], list[tuple[Any, Any]]]:
    """For each frame the places of all runners: in the landscape, and on the loss curves."""
    flat = [_flat(points, losses) for points, losses in paths.values()]
    at_loss = [_gaps(losses) for _points, losses in paths.values()]
    places = [([x[k] for x, _y in flat], [y[k] for _x, y in flat]) for k in _ticks(paths)]
    return places, [([k] * len(paths), [losses[k] for losses in at_loss]) for k in _ticks(paths)]


def _gaps(values: Array) -> list[float | None]:
    """Numbers for the browser; None, a gap, where a walk has diverged."""
    return [float(f"{value:.5g}") if np.isfinite(value) else None for value in values]
