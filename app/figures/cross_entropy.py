"""Pictures of cross-entropy. Numbers in, plotly figures out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.playback import Film
from core.maths import cross_entropy as maths
from core.maths.cross_entropy import Array

BLUE, RED, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#808080"  # Okabe and Ito
MARGIN = {"l": 10, "r": 10, "t": 40, "b": 10}
Words = Mapping[str, str]


def bars(names: Sequence[str], p: Array, y: Array, gradient: Array, words: Words) -> go.Figure:
    """Probabilities beside targets, and the gradient by each logit."""
    figure = make_subplots(rows=1, cols=2, subplot_titles=(words["p"], words["gradient"]), horizontal_spacing=0.12)
    figure.add_bar(x=list(names), y=p, name="p", marker_color=BLUE, row=1, col=1)
    figure.add_bar(x=list(names), y=y, name="y", marker_color=GREEN, row=1, col=1)
    colours = [RED if value > 0 else BLUE for value in gradient]
    figure.add_bar(x=list(names), y=gradient, marker_color=colours, showlegend=False, row=1, col=2)
    figure.update_yaxes(range=[0, 1.02], row=1, col=1)
    figure.update_xaxes(type="category")
    figure.update_layout(height=280, margin=MARGIN, legend={"orientation": "h", "y": -0.2})
    return figure


def film(names: Sequence[str], path: Array, y: Array, t: float, words: Words) -> go.Figure:
    """Probabilities and loss at each step of `path` (steps + 1, K), played by the browser."""
    p, losses = maths.softmax(path, t), maths.cross_entropy(path, y, t)
    figure = make_subplots(rows=1, cols=2, subplot_titles=(words["p"], words["loss"]), horizontal_spacing=0.12)
    figure.add_bar(x=list(names), y=p[0], name="p", marker_color=BLUE, row=1, col=1)
    figure.add_bar(x=list(names), y=y, name="y", marker_color=GREEN, row=1, col=1)
    figure.add_scatter(y=losses, mode="lines", line_color=GREY, showlegend=False, row=1, col=2)
    figure.add_scatter(
        x=[0], y=losses[:1], mode="markers", marker={"color": RED, "size": 11}, showlegend=False, row=1, col=2
    )
    figure.update_yaxes(range=[0, 1.02], row=1, col=1)
    figure.update_yaxes(rangemode="tozero", row=1, col=2)
    figure.update_xaxes(type="category", row=1, col=1)
    figure.update_xaxes(title=words["step"], row=1, col=2)
    figure.update_layout(height=400, margin={**MARGIN, "b": 130}, legend={"x": 0.3, "y": 0.98})
    frames = [
        [
            {"type": "bar", "y": np.round(now, 4).tolist()},
            {"type": "scatter", "x": [step], "y": [round(float(loss), 5)]},
        ]
        for step, (now, loss) in enumerate(zip(p, losses, strict=True))
    ]
    return Film(figure, frames, (0, 3), words["step"])


def loss_surface(
    axis: Array, height: Array, point: tuple[float, float, float], labels: tuple[str, str], words: Words
) -> go.Figure:
    """The loss over two logits, with where we stand."""
    figure = go.Figure(
        go.Surface(x=_f4(axis), y=_f4(axis), z=_f4(height), colorscale="Cividis", opacity=0.92, showscale=False)
    )
    figure.add_scatter3d(
        x=[point[0]], y=[point[1]], z=[point[2]], mode="markers", marker={"color": RED, "size": 6}, name=""
    )
    axes = {"xaxis": {"title": labels[0]}, "yaxis": {"title": labels[1]}, "zaxis": {"title": words["loss"]}}
    figure.update_layout(
        height=460,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        scene={**axes, "camera": {"eye": {"x": 1.5, "y": -1.5, "z": 0.9}}},
        showlegend=False,
        uirevision="surface",
    )
    return figure


def against_probability(p: float, words: Words) -> go.Figure:
    """Loss against the probability of the true class; how strongly each loss pulls at the logit (two classes)."""
    axis = np.linspace(0.002, 0.998, 250)
    z = np.log(axis / (1 - axis))
    pair, y = np.stack([z, np.zeros_like(z)], axis=-1), np.array([1.0, 0.0])
    figure = make_subplots(rows=1, cols=2, subplot_titles=(words["loss"], words["pull"]), horizontal_spacing=0.12)
    curves: tuple[tuple[str, str, Any, Any], ...] = (
        (words["cross-entropy"], BLUE, maths.cross_entropy(pair, y), np.abs(maths.gradient(pair, y)[:, 0])),
        (words["squared"], RED, maths.squared_error(pair, y), np.abs(maths.squared_error_gradient(pair, y)[:, 0])),
    )
    for name, colour, loss, pull in curves:
        for column, values in ((1, loss), (2, pull)):
            figure.add_scatter(
                x=_f4(axis), y=_f4(values), name=name, line_color=colour, showlegend=column == 1, row=1, col=column
            )
    for column in (1, 2):
        figure.add_vline(x=p, line_dash="dot", line_color=GREY, row=1, col=column)
    figure.update_xaxes(title=words["probability"], range=[0, 1])
    figure.update_layout(height=320, margin=MARGIN, legend={"orientation": "h", "y": 1.25})
    return figure


def binary(z: float, y: float, words: Words) -> go.Figure:
    """The loss of one logit, and its gradient: the sigmoid less the target."""
    axis = np.linspace(-10, 10, 201)
    figure = go.Figure()
    figure.add_scatter(x=_f4(axis), y=_f4(maths.binary_cross_entropy(axis, y)), name=words["loss"], line_color=BLUE)
    figure.add_scatter(x=_f4(axis), y=_f4(maths.sigmoid(axis) - y), name="σ(z) − y", line_color=RED)
    figure.add_scatter(
        x=[z], y=[float(maths.binary_cross_entropy(z, y))], mode="markers", marker={"color": BLUE, "size": 11},
        showlegend=False,
    )  # fmt: skip
    figure.update_xaxes(title="z")
    figure.update_layout(height=300, margin=MARGIN, legend={"orientation": "h", "y": 1.2})
    return figure


def _f4(values: Array) -> Any:
    """Half the bytes on their way to the browser."""
    return np.asarray(values, np.float32)
