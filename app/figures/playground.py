"""Points in the plane, what a model says of the plane around them, and the film of a network that learns."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.palette import BLUE, COLOURS, GREY, RED, translucent
from app.figures.playback import film as played
from core.maths.plane import SHADES, STEP, Floats, Labels, Mask, Sample

SIGNS = ("circle", "square", "triangle-up")  # a class has a sign of its own too: colours may be hard to tell apart
TRAINING, TEST = BLUE, RED
FAINT, STRONG = 0.03, 0.5
FILM_PX, PICTURE_PX, HAND_PX = 690, 236, 420


def _rgba(label: int, alpha: float) -> str:
    return translucent(COLOURS[label], alpha)


def plane(grid: Any, classes: Sequence[int], box: float) -> dict[str, Any]:
    """The trace of what a model says: the surer it is of a class, the stronger its colour.

    `grid` (G, G) is coded as `core.maths.plane.shades` does. Of two classes, a line shows where neither is likelier.
    """
    side = len(grid)
    step = 2 * box / side
    trace: dict[str, Any] = {
        "z": grid, "x0": -box + step / 2, "dx": step, "y0": -box + step / 2, "dy": step, "showscale": False,
        "zmin": 0, "zmax": SHADES, "zauto": False, "hoverinfo": "skip",
    }  # fmt: skip
    if len(classes) == 2:
        low, high = classes
        scale = [(0, _rgba(low, STRONG)), (0.5, _rgba(low, FAINT)), (0.5, _rgba(high, FAINT)), (1, _rgba(high, STRONG))]
        lines = {"coloring": "heatmap", "start": SHADES / 2, "end": SHADES / 2, "size": 1, "showlines": True}
        return trace | {
            "type": "contour", "colorscale": scale, "autocontour": False, "contours": lines,
            "line": {"color": GREY, "width": 1.5},
        }  # fmt: skip
    scale = [((k * STEP + part) / SHADES, _rgba(label, alpha)) for k, label in enumerate(classes)
             for part, alpha in ((0, FAINT), (STEP - 1, STRONG))]  # fmt: skip
    return trace | {"type": "heatmap", "colorscale": [*scale, (1, _rgba(classes[-1], STRONG))], "zsmooth": False}


def points(sample: Sample, words: Mapping[str, str], size: float = 6) -> list[dict[str, Any]]:
    """The traces of the points: filled ones are for training, white ones for the test.

    `words`: "class" with a {number}, and "test".
    """
    traces = []
    for label in sample.classes:
        for held_out in (False, True):
            chosen = (sample.labels == label) & (sample.held_out == held_out)
            name = words["class"].format(number=label + 1)
            if not chosen.any():
                continue
            traces.append(_points(sample.points[chosen], label, held_out, size, f"{name}, {words['test']}"
                          if held_out else name))  # fmt: skip
    return traces


def _points(at: Floats, label: int, held_out: bool, size: float, name: str) -> dict[str, Any]:
    fill, edge, width = ("white", COLOURS[label], 1.6) if held_out else (COLOURS[label], "white", 0.6)
    return {
        "type": "scatter", "mode": "markers", "name": name,
        "x": at[:, 0].astype(np.float32), "y": at[:, 1].astype(np.float32),
        "marker": {"symbol": SIGNS[label], "size": size, "color": fill, "line": {"color": edge, "width": width}},
        "hovertemplate": "%{x:.2f}, %{y:.2f}<extra>%{fullData.name}</extra>",
    }  # fmt: skip


def _square(figure: go.Figure, box: float, **place: int) -> None:
    quiet = {"showgrid": False, "zeroline": False, "showticklabels": False, "fixedrange": True, "ticks": ""}
    figure.update_xaxes(range=[-box, box], constrain="domain", **quiet, **place)
    figure.update_yaxes(range=[-box, box], constrain="domain", scaleanchor="x", **quiet, **place)


def boundary(sample: Sample, grid: Any, words: Mapping[str, str]) -> go.Figure:
    """One model: what it says of the plane, under the points."""
    figure = go.Figure([plane(grid, sample.classes, sample.box), *points(sample, words, 5)])
    _square(figure, sample.box)
    figure.update_layout(
        height=PICTURE_PX, margin={"l": 2, "r": 2, "t": 2, "b": 2}, showlegend=False, dragmode=False
    )
    return figure


def film(sample: Sample, made: Mapping[str, Any], words: Mapping[str, str]) -> go.Figure:
    """A network while it learns: the plane above, the loss of training and test points below, with a moving mark.

    `made` is what `train_network` returns. `words`: those of `points`, and "epoch", "loss", "training", and "now", a
    template with the fields epoch, train and test (errors as text).
    """
    figure = make_subplots(rows=2, cols=1, row_heights=[0.79, 0.21], vertical_spacing=0.05)
    top = 1.08 * _highest(made)
    epochs = np.arange(len(made["train_loss"]))
    figure.add_trace(plane(made["grids"][0], sample.classes, sample.box), row=1, col=1)
    for trace in points(sample, words):
        figure.add_trace(trace, row=1, col=1)
    for key, name, colour, dash in (
        ("train_loss", words["training"], TRAINING, "solid"),
        ("test_loss", words["test"], TEST, "dot"),
    ):
        if np.isfinite(made[key]).any():
            line = {"color": colour, "width": 2, "dash": dash}
            figure.add_scatter(
                x=epochs, y=made[key], name=name, mode="lines", line=line, showlegend=False, row=2, col=1
            )
            figure.add_annotation(
                x=epochs[-1], y=float(np.clip(made[key][-1], 0, top)), text=name, showarrow=False, xanchor="left",
                yanchor="bottom" if (key == "test_loss") == bool(made["test_loss"][-1] >= made["train_loss"][-1])
                else "top", font={"color": colour, "size": 12}, row=2, col=1,
            )  # fmt: skip
    frames = [
        [{"type": "contour" if len(sample.classes) == 2 else "heatmap", "z": grid}, *_marks(made, epoch, top, words)]
        for grid, epoch in zip(made["grids"], made["frames"], strict=True)
    ]
    first = len(figure.data)
    for trace in _marks(made, 0, top, words):
        figure.add_trace(trace, row=2, col=1)
    _square(figure, sample.box, row=1, col=1)
    figure.update_xaxes(title=words["epoch"], range=[0, max(int(epochs[-1]), 1)], fixedrange=True, row=2, col=1)
    figure.update_yaxes(title=words["loss"], range=[0, top], fixedrange=True, row=2, col=1)
    figure.update_layout(
        height=FILM_PX, margin={"l": 10, "r": 50, "t": 10, "b": 130}, dragmode=False,
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
    )  # fmt: skip
    return played(figure, frames, [0, *range(first, len(figure.data))], words["epoch"], made["frames"])


def units(made: Mapping[str, Any]) -> go.Figure:
    """What single units of the last hidden layer say of the plane: dark where they are silent, bright where active."""
    pictures = made["units"]
    columns = 6
    rows = -(-len(pictures) // columns)
    figure = make_subplots(rows=rows, cols=columns, horizontal_spacing=0.012, vertical_spacing=0.04)
    for place, z in enumerate(pictures):
        row, column = divmod(place, columns)
        figure.add_heatmap(z=z, zmin=0, zmax=SHADES, colorscale="Cividis", showscale=False, hoverinfo="skip",
                           zsmooth="fast", row=row + 1, col=column + 1)  # fmt: skip
    figure.update_xaxes(visible=False, fixedrange=True, constrain="domain")
    figure.update_yaxes(visible=False, fixedrange=True, constrain="domain")
    for number in range(1, rows * columns + 1):
        figure.update_layout({f"yaxis{number}": {"scaleanchor": f"x{number}"}})
    figure.update_layout(height=110 * rows, margin={"l": 0, "r": 0, "t": 0, "b": 0}, dragmode=False)
    return figure


def _highest(made: Mapping[str, Any]) -> float:
    """The top of the loss axis. A few wild values, such as those before a network breaks, must not flatten the rest."""
    losses = np.concatenate([made["train_loss"], made["test_loss"]])
    losses = losses[np.isfinite(losses)]
    return float(max(np.quantile(losses, 0.97), losses[0], 0.01))


def _marks(made: Mapping[str, Any], epoch: int, top: float, words: Mapping[str, str]) -> list[dict[str, Any]]:
    """Where the film is: an upright line through the loss, and what is wrong by now, in words."""
    errors = {key: f"{made[f'{key}_errors'][epoch]:.1%}" for key in ("train", "test")}
    text = words["now"].format(epoch=epoch, **(errors | {"test": errors["test"].replace("nan%", "–")}))
    return [
        {"type": "scatter", "mode": "lines", "x": [epoch, epoch], "y": [0, top], "hoverinfo": "skip",
         "line": {"color": GREY, "width": 1.5}, "showlegend": False},
        {"type": "scatter", "mode": "text", "x": [0], "y": [top], "text": [text], "textposition": "top right",
         "textfont": {"size": 12, "color": GREY}, "cliponaxis": False, "hoverinfo": "skip", "showlegend": False},
    ]  # fmt: skip


def by_hand(at: Floats, labels: Labels, held_out: Mask, places: Floats, words: Mapping[str, str]) -> go.Figure:
    """Points set by hand on a net of places that cannot be seen and can be pressed; the net is the last trace.

    No points at all and points of one class are pictures too, which a `Sample` cannot be.
    """
    figure = go.Figure(points(Sample(at, labels, held_out), words, 9) if len(at) else [])
    for trace in figure.data:  # a press selects a place of the net; the points shall not pale for it
        trace.update(selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}}, hoverinfo="skip",
                     hovertemplate=None)  # fmt: skip
    unseen = {"marker": {"opacity": 0}}
    figure.add_scatter(
        x=places[:, 0].astype(np.float32), y=places[:, 1].astype(np.float32), mode="markers", hoverinfo="none",
        marker={"size": 9, "opacity": 0, "color": GREY}, selected=unseen, unselected=unseen, showlegend=False,
    )  # fmt: skip
    _square(figure, 1.08)
    # A frame to press in; lines of the axes would lie half outside of the picture, and under the legend.
    figure.add_shape(type="rect", x0=-1.06, x1=1.06, y0=-1.06, y1=1.06, line={"color": GREY, "width": 1}, layer="below")
    figure.update_layout(
        height=HAND_PX, margin={"l": 2, "r": 2, "t": 50, "b": 4}, dragmode=False, hovermode="closest",
        clickmode="event+select", legend={"orientation": "h", "y": 1.01, "yanchor": "bottom", "x": 0},
    )  # fmt: skip
    return figure
