"""Points in the plane, what a model says of the plane around them, and the film of a network that learns."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from app.figures.palette import BLUE, COLOURS, GREY, RED, translucent
from app.figures.plain import Plain
from app.figures.playback import film_of
from core.maths.plane import SHADES, STEP, Floats, Labels, Mask, Sample

SIGNS = ("circle", "square", "triangle-up")  # a class has a sign of its own too: colours may be hard to tell apart
CURVES = {"train_loss": (BLUE, "solid"), "test_loss": (RED, "dot")}
BELOW = {"xaxis": "x2", "yaxis": "y2"}  # the panel of the losses
FAINT, STRONG = 0.03, 0.5
FILM_PX, PICTURE_PX, HAND_PX = 570, 236, 420


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


def _square(box: float) -> dict[str, Any]:
    """The axes of a plane from -box to box, both of one measure."""
    quiet = {
        "range": [-box, box], "constrain": "domain", "showgrid": False, "zeroline": False, "showticklabels": False,
        "fixedrange": True, "ticks": "",
    }  # fmt: skip
    return {"xaxis": quiet, "yaxis": {**quiet, "scaleanchor": "x"}}


def boundary(sample: Sample, grid: Any, words: Mapping[str, str]) -> Plain:
    """One model: what it says of the plane, under the points."""
    layout = {
        **_square(sample.box), "height": PICTURE_PX, "margin": {"l": 2, "r": 2, "t": 2, "b": 2}, "showlegend": False,
        "dragmode": False,
    }  # fmt: skip
    return Plain([plane(grid, sample.classes, sample.box), *points(sample, words, 5)], layout)


def film(sample: Sample, made: Mapping[str, Any], words: Mapping[str, str]) -> Plain:
    """A network while it learns: the plane above, the loss of training and test points below, with a moving mark.

    `made` is what `train_network` returns. `words`: those of `points`, and "epoch", "loss", "training", and "now", a
    template with the fields epoch, train and test (errors as text).
    """
    top = 1.08 * _highest(made)
    last = len(made["train_loss"]) - 1
    curves = [key for key in ("train_loss", "test_loss") if np.isfinite(made[key]).any()]
    names = {"train_loss": words["training"], "test_loss": words["test"]}
    still = [plane(made["grids"][0], sample.classes, sample.box), *points(sample, words)]
    still += [_curve(made[key], key, names[key]) for key in curves]
    kind = "contour" if len(sample.classes) == 2 else "heatmap"
    frames = [
        [{"type": kind, "z": grid}, *_moved(made, epoch, words)]
        for grid, epoch in zip(made["grids"], made["frames"], strict=True)
    ]
    square = _square(sample.box)
    layout = {
        "xaxis": {**square["xaxis"], "anchor": "y"}, "yaxis": {**square["yaxis"], "anchor": "x", "domain": [0.25, 1]},
        "xaxis2": {"anchor": "y2", "title": {"text": words["epoch"]}, "range": [0, max(last, 1)], "fixedrange": True},
        "yaxis2": {"anchor": "x2", "domain": [0, 0.2], "title": {"text": words["loss"]}, "range": [0, top],
                   "fixedrange": True},
        "annotations": [_name(made, key, names[key], top) for key in curves],
        "height": FILM_PX, "margin": {"l": 10, "r": 50, "t": 10, "b": 10}, "dragmode": False,
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
    }  # fmt: skip
    marks = _marks(made, top, words)
    places = [0, *range(len(still), len(still) + len(marks))]
    return film_of([*still, *marks], layout, frames, places, words["frame"], made["frames"])


def _curve(losses: Any, key: str, name: str) -> dict[str, Any]:
    colour, dash = CURVES[key]
    return {
        "type": "scatter", "mode": "lines", "x": np.arange(len(losses)), "y": losses, "name": name,
        "line": {"color": colour, "width": 2, "dash": dash}, "showlegend": False, **BELOW,
    }  # fmt: skip


def _name(made: Mapping[str, Any], key: str, name: str, top: float) -> dict[str, Any]:
    """What a curve is called, at its end, above that of the other or beside it, where no number of the axis stands."""
    above = (key == "test_loss") == bool(made["test_loss"][-1] >= made["train_loss"][-1])
    return {
        "x": len(made[key]) - 1, "y": float(np.clip(made[key][-1], 0, top)), "text": name, "showarrow": False,
        "xanchor": "left", "yanchor": "bottom", "yshift": 10 if above else -4, "xref": "x2", "yref": "y2",
        "font": {"color": CURVES[key][0], "size": 12},
    }  # fmt: skip


def units(made: Mapping[str, Any]) -> Plain:
    """What single units of the last hidden layer say of the plane: dark where they are silent, bright where active."""
    pictures = made["units"]
    columns, across, down = 6, 0.012, 0.04  # and the gaps between them
    rows = -(-len(pictures) // columns)
    width, height = (1 - across * (columns - 1)) / columns, (1 - down * (rows - 1)) / rows
    layout: dict[str, Any] = {
        "height": 110 * rows, "margin": {"l": 0, "r": 0, "t": 0, "b": 0}, "dragmode": False,
    }  # fmt: skip
    traces = []
    quiet = {"visible": False, "fixedrange": True, "constrain": "domain"}
    for place, z in enumerate(pictures):
        row, column = divmod(place, columns)
        left, top = column * (width + across), 1 - row * (height + down)
        x, y = (f"{letter}{place + 1 if place else ''}" for letter in "xy")
        layout[x.replace("x", "xaxis")] = {**quiet, "anchor": y, "domain": [left, left + width]}
        layout[y.replace("y", "yaxis")] = {
            **quiet, "anchor": x, "domain": [max(top - height, 0), top], "scaleanchor": x
        }  # fmt: skip
        traces.append({
            "type": "heatmap", "z": z, "zmin": 0, "zmax": SHADES, "colorscale": "Cividis", "showscale": False,
            "hoverinfo": "skip", "zsmooth": "fast", "xaxis": x, "yaxis": y,
        })  # fmt: skip
    return Plain(traces, layout)


def _highest(made: Mapping[str, Any]) -> float:
    """The top of the loss axis. A few wild values, such as those before a network breaks, must not flatten the rest."""
    losses = np.concatenate([made["train_loss"], made["test_loss"]])
    losses = losses[np.isfinite(losses)]
    return float(max(np.quantile(losses, 0.97), losses[0], 0.01))


def _marks(made: Mapping[str, Any], top: float, words: Mapping[str, str]) -> list[dict[str, Any]]:
    """Where the film is: an upright line through the loss, and what is wrong by now, in words."""
    line, text = _moved(made, 0, words)
    quiet = {"hoverinfo": "skip", "showlegend": False, **BELOW}
    return [
        {**line, "mode": "lines", "y": [0, top], "line": {"color": GREY, "width": 1.5}, **quiet},
        {**text, "mode": "text", "x": [0], "y": [top], "textposition": "top right",
         "textfont": {"size": 12, "color": GREY}, "cliponaxis": False, **quiet},
    ]  # fmt: skip


def _moved(made: Mapping[str, Any], epoch: int, words: Mapping[str, str]) -> list[dict[str, Any]]:
    """What of the marks is another in every epoch."""
    errors = {key: f"{made[f'{key}_errors'][epoch]:.1%}" for key in ("train", "test")}
    text = words["now"].format(epoch=epoch, **(errors | {"test": errors["test"].replace("nan%", "–")}))
    return [{"type": "scatter", "x": [epoch, epoch]}, {"type": "scatter", "text": [text]}]


def by_hand(at: Floats, labels: Labels, held_out: Mask, words: Mapping[str, str]) -> go.Figure:
    """Points set by hand on a ground that cannot be seen and can be pressed; the ground is the last trace.

    No points at all and points of one class are pictures too, which a `Sample` cannot be.
    """
    figure = go.Figure(points(Sample(at, labels, held_out), words, 9) if len(at) else [])
    figure.update_traces(hoverinfo="skip", hovertemplate=None)  # a press is for the ground below them
    edges = [-1, 0, 1]
    figure.add_heatmap(
        x=edges, y=edges, z=[[0, 0], [0, 0]], colorscale=["rgba(0,0,0,0)"] * 2, showscale=False, hoverinfo="none"
    )
    figure.update_layout(**_square(1.08))
    # A frame to press in; lines of the axes would lie half outside of the picture, and under the legend.
    figure.add_shape(type="rect", x0=-1.06, x1=1.06, y0=-1.06, y1=1.06, line={"color": GREY, "width": 1}, layer="below")
    figure.update_layout(
        height=HAND_PX, margin={"l": 2, "r": 2, "t": 50, "b": 4}, dragmode=False, hovermode="closest",
        legend={"orientation": "h", "y": 1.01, "yanchor": "bottom", "x": 0},
    )  # fmt: skip
    return figure
