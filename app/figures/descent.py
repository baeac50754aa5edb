"""Walks down a landscape. Numbers in, plotly figures out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.playback import Film
from core.maths.surfaces import Array

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # Okabe and Ito
GREY = "#808080"
MARGIN = {"l": 10, "r": 10, "t": 40, "b": 10}
MOST_FRAMES = 80
Words = Mapping[str, str]
Axes = tuple[Array, ...]  # the grid of each coordinate
Paths = Mapping[str, tuple[Array, Array]]  # name: points (steps + 1, D) and losses (steps + 1,)


def landscape(axes: Axes, height: Array, paths: Paths, words: Words, shown: int | None = None) -> go.Figure:
    """Landscape with paths at the left, loss against step at the right; all of it, or the first `shown` steps.

    In two dimensions the first trace is an invisible grid: pressing one of its points chooses where to start.
    """
    figure = _panels(words)
    _ground(figure, axes, height)
    finite = np.concatenate([losses[np.isfinite(losses)] for _points, losses in paths.values()])
    first = max(float(losses[0]) for _points, losses in paths.values())
    low = min(0.0, float(finite.min()))
    figure.update_yaxes(range=[low - 0.03 * (first - low), low + 1.3 * (first - low)], row=1, col=2)
    for colour, (name, (points, losses)) in zip(COLOURS, paths.items(), strict=False):
        upto = slice(0, None if shown is None else shown + 1)
        x, y = _flat(points[upto], losses[upto])
        line = {"color": colour, "width": 2}
        figure.add_scatter(x=x, y=y, mode="lines+markers", marker_size=5, line=line, name=name, row=1, col=1)
        figure.add_scatter(y=_gaps(losses), mode="lines", line=line, name=name, showlegend=False, row=1, col=2)
        if shown is not None:
            here = {"mode": "markers", "marker": {"color": colour, "size": 12}, "showlegend": False}
            figure.add_scatter(x=x[-1:], y=y[-1:], **here, row=1, col=1)
            figure.add_scatter(x=[shown], y=_gaps(losses[shown : shown + 1]), **here, row=1, col=2)
    return figure


def film(axes: Axes, height: Array, paths: Paths, words: Words) -> go.Figure:
    """The race, played by the browser: the paths lie there, the runners move."""
    figure = landscape(axes, height, paths, words)
    runners, at_loss, stride = _runners(paths)
    colours = list(COLOURS[: len(paths)])
    for column, (x, y) in ((1, runners[0]), (2, at_loss[0])):
        marker = {"color": colours, "size": 12, "line": {"color": "white", "width": 1}}
        figure.add_scatter(x=x, y=y, mode="markers", marker=marker, showlegend=False, row=1, col=column)
    figure.update_layout(height=560, margin={**MARGIN, "t": 80, "b": 130})
    frames = [
        [{"type": "scatter", "x": x, "y": y}, {"type": "scatter", "x": steps, "y": losses}]
        for (x, y), (steps, losses) in zip(runners, at_loss, strict=True)
    ]
    last = len(figure.data) - 1
    return Film(figure, frames, (last - 1, last), words["step"], _ticks(paths, stride))


def film_3d(axes: Axes, height: Array, paths: Paths, words: Words) -> go.Figure:
    """The same race in the landscape's third dimension; `paths` hold heights instead of losses."""
    figure = go.Figure(
        go.Surface(x=_f4(axes[0]), y=_f4(axes[1]), z=_f4(height), colorscale="Cividis", showscale=False, opacity=0.9)
    )
    lift = 0.01 * float(np.ptp(height))  # a line in the surface itself would be half hidden
    lines = [[_gaps(points[:, 0]), _gaps(points[:, 1]), _gaps(z + lift)] for points, z in paths.values()]
    for colour, name, (x, y, z) in zip(COLOURS, paths, lines, strict=False):
        figure.add_scatter3d(x=x, y=y, z=z, mode="lines", line={"color": colour, "width": 5}, name=name)
    stride = _stride(paths)
    spots = [[[line[axis][k] for line in lines] for axis in range(3)] for k in _ticks(paths, stride)]
    marker = {"color": list(COLOURS[: len(paths)]), "size": 6}
    figure.add_scatter3d(
        x=spots[0][0], y=spots[0][1], z=spots[0][2], mode="markers", marker=marker, showlegend=False
    )
    figure.update_layout(
        height=600,
        margin={"l": 0, "r": 0, "t": 0, "b": 130},
        scene={
            "xaxis": {"range": [axes[0][0], axes[0][-1]]},
            "yaxis": {"range": [axes[1][0], axes[1][-1]]},
            "zaxis": {"title": words["height"], "range": [float(height.min()), float(height.max())]},
            "camera": {"eye": {"x": 1.4, "y": -1.4, "z": 1.1}},
        },
        legend={"orientation": "h", "y": 1.02},
        uirevision="3d",
    )
    frames = [[{"type": "scatter3d", "x": a, "y": b, "z": c}] for a, b, c in spots]
    return Film(figure, frames, (len(figure.data) - 1,), words["step"], _ticks(paths, stride))


def by_learning_rate(
    rates: Array, losses: Array, now: float, start: float, limit: float | None, words: Words
) -> go.Figure:
    """The loss after the walk against the learning rate, both on log scales."""
    shown = np.where(np.isfinite(losses) & (losses > 0), np.maximum(losses, 1e-12), np.nan)
    low, high = float(np.nanmin(shown)) / 3, 100 * max(start, 1e-12)
    marks = [(words["start"], [rates[0], rates[-1]], [start, start], GREY, "dot")]
    marks += [(words["now"], [now, now], [low, high], COLOURS[2], "solid")]
    marks += [(words["limit"], [limit, limit], [low, high], COLOURS[1], "dash")] if limit is not None else []
    figure = go.Figure(go.Scatter(x=_f4(rates), y=_gaps(shown), line_color=COLOURS[0], name=words["after"]))
    for name, x, y, colour, dash in marks:  # lines, because a legend names them where a label would hide the curve
        figure.add_scatter(x=x, y=y, mode="lines", line={"color": colour, "dash": dash, "width": 1.5}, name=name)
    figure.update_xaxes(type="log", title=words["rate"], exponentformat="power", dtick=1)
    figure.update_yaxes(
        type="log", title=words["after"], exponentformat="power", range=[float(np.log10(low)), float(np.log10(high))]
    )
    figure.update_layout(height=380, margin=MARGIN, legend={"orientation": "h", "y": 1.15})
    return figure


def schedule(shares: Sequence[float], words: Words) -> go.Figure:
    """The learning rate at each step."""
    figure = go.Figure(go.Scatter(y=list(shares), line={"color": COLOURS[0], "shape": "hv"}))
    figure.update_yaxes(rangemode="tozero", title=words["rate"])
    figure.update_xaxes(title=words["step"])
    figure.update_layout(height=200, margin=MARGIN)
    return figure


def _panels(words: Words) -> go.Figure:
    figure = make_subplots(
        rows=1, cols=2, column_widths=[0.62, 0.38], subplot_titles=(words["landscape"], words["loss"]),
        horizontal_spacing=0.09,
    )  # fmt: skip
    figure.update_xaxes(title=words["step"], row=1, col=2)
    figure.update_layout(
        height=450, margin={**MARGIN, "t": 80}, legend={"orientation": "h", "y": 1.25}, dragmode="pan"
    )
    return figure


def _ground(figure: go.Figure, axes: Axes, height: Array) -> None:
    """The curve, or the contours with the points that can be pressed."""
    figure.update_xaxes(range=[float(axes[0][0]), float(axes[0][-1])], row=1, col=1)
    if len(axes) == 1:
        margin = 0.06 * float(np.ptp(height))
        figure.add_scatter(
            x=_f4(axes[0]), y=_f4(height), line={"color": GREY, "width": 2}, showlegend=False, row=1, col=1
        )
        figure.update_yaxes(range=[float(height.min()) - margin, float(height.max()) + margin], row=1, col=1)
        return
    figure.update_yaxes(range=[float(axes[1][0]), float(axes[1][-1])], row=1, col=1)
    x, y = np.meshgrid(axes[0][1::2], axes[1][1::2])
    figure.add_scatter(
        x=_f4(x.ravel()), y=_f4(y.ravel()), mode="markers", marker={"opacity": 0, "size": 14}, hoverinfo="none",
        showlegend=False, unselected={"marker": {"opacity": 0}}, selected={"marker": {"opacity": 0}}, row=1, col=1,
    )  # fmt: skip
    figure.add_contour(
        x=_f4(axes[0]), y=_f4(axes[1]), z=_f4(height), colorscale="Cividis", showscale=False, ncontours=24,
        line_width=0.6, hoverinfo="skip", row=1, col=1,
    )  # fmt: skip


def _flat(points: Array, losses: Array) -> tuple[list[float | None], list[float | None]]:
    """What is drawn as x and y: both coordinates, or the only one and the loss."""
    return _gaps(points[:, 0]), _gaps(points[:, 1] if points.shape[1] == 2 else losses)


def _stride(paths: Paths) -> int:
    steps = max(len(losses) for _points, losses in paths.values()) - 1
    return -(-steps // MOST_FRAMES)


def _ticks(paths: Paths, stride: int) -> range:
    return range(0, max(len(losses) for _points, losses in paths.values()), stride)


def _runners(paths: Paths) -> tuple[list[tuple[Any, Any]], list[tuple[Any, Any]], int]:
    """For each frame the places of all runners: in the landscape, and on the loss curves."""
    stride = _stride(paths)
    flat = [_flat(points, losses) for points, losses in paths.values()]
    at_loss = [_gaps(losses) for _points, losses in paths.values()]
    ticks = _ticks(paths, stride)
    places = [([x[k] for x, _y in flat], [y[k] for _x, y in flat]) for k in ticks]
    return places, [([k] * len(paths), [losses[k] for losses in at_loss]) for k in ticks], stride


def _gaps(values: Array) -> list[float | None]:
    """Numbers for the browser; None, a gap, where a walk has diverged."""
    return [float(f"{value:.5g}") if np.isfinite(value) else None for value in values]


def _f4(values: Array) -> Any:
    """Half the bytes on their way to the browser."""
    return np.asarray(values, np.float32)
