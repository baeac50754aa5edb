"""Plain and residual nets: sizes by layer, a block, and a race. Numbers in, plotly figures out."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.palette import BLUE, GREY, PINK, RED
from app.figures.plain import Plain, Trace
from app.figures.playback import film

COLOURS = {"plain": RED, "residual": BLUE, "shallow": PINK}
DASHES = {"plain": "dash", "residual": "solid", "shallow": "dot"}
SIGNS = {"plain": "square-open", "residual": "circle", "shallow": "diamond-open"}
MARGIN = {"l": 10, "r": 10, "t": 44, "b": 10}
Words = Mapping[str, str]
Net = Mapping[str, Any]  # what core.maths.residual tells of one net


def by_layer(nets: Mapping[str, Net], quantity: str, layers: Sequence[int], title: str, words: Words) -> Plain:
    """One quantity of both nets against the layer, on a log scale. A size of zero is a gap: it has no logarithm."""
    traces: list[Trace] = [
        {
            "type": "scatter",
            "x": list(layers),
            "y": [_shown(value) for value in net[quantity]],
            "name": words[name],
            "mode": "lines+markers",
            "line": {"color": COLOURS[name], "dash": DASHES[name], "width": 2},
            "marker": {"symbol": SIGNS[name], "size": 6},
            "hovertemplate": f"{words['layer']} %{{x}}: %{{y:.3g}}<extra></extra>",
        }
        for name, net in nets.items()
    ]
    values = [value for net in nets.values() for value in net[quantity] if value > 0 and math.isfinite(value)]
    upright: dict[str, Any] = {"type": "log", "exponentformat": "power", "dtick": _tick(values)}
    if values:  # never less than two powers of ten, or what stays equal would look wild
        low, high = math.log10(min(values)), math.log10(max(values))
        room = max(1 - (high - low) / 2, 0.08 * (high - low))
        upright["range"] = [low - room, high + room]
    layout = {
        "xaxis": {"title": {"text": words["layer"]}, "rangemode": "tozero"}, "yaxis": upright,
        "title": {"text": title, "font": {"size": 15}}, "height": 330, "margin": {**MARGIN, "t": 70},
        "legend": {"orientation": "h", "y": 1.12, "x": 0},
    }  # fmt: skip
    return Plain(traces, layout)


def block(
    parts: Sequence[str], shortcut: bool, after: str, sizes: Mapping[str, str], colour: str
) -> go.Figure:
    """A block from top to bottom: `parts` of F, the sum if it has a shortcut, the activation `after` it, if any.

    `sizes` are written where they were measured: "x" above, "F" below the branch, "y" at the end.
    """
    figure = go.Figure()
    step, y = 1.0, 0.0
    arrows: list[tuple[float, float]] = []
    _text(figure, 0, y + 0.3, sizes["x"])
    for part in parts:
        arrows.append((y, y - 0.5))
        _box(figure, y - 0.5, part, colour)
        y -= step
    _text(figure, 0.16, y - 0.18, sizes["F"], "left")
    if shortcut:
        arrows.append((y, y - 0.5))
        figure.add_shape(type="circle", x0=-0.11, x1=0.11, y0=y - 0.92, y1=y - 0.5, line={"color": colour, "width": 2})
        _text(figure, 0, y - 0.71, "+")
        end = y - 0.71
        way = f"M 0,-0.1 L 0.7,-0.1 Q 0.85,-0.1 0.85,-0.35 L 0.85,{end + 0.25} Q 0.85,{end} 0.7,{end} L 0.3,{end}"
        figure.add_shape(type="path", path=way, line={"color": colour, "width": 3})
        _arrow(figure, (0.32, end), (0.12, end), colour, 3)
        _text(figure, 0.9, end / 2, "x", "left")
        y -= 0.92
    if after:
        arrows.append((y, y - 0.5))
        _box(figure, y - 0.5, after, GREY)
        y -= step
    arrows.append((y, y - 0.5))
    for start, end in arrows:
        _arrow(figure, (0, start), (0, end), GREY)
    _text(figure, 0, y - 0.75, sizes["y"])
    figure.update_xaxes(visible=False, range=[-1.15, 1.15], fixedrange=True)
    figure.update_yaxes(visible=False, range=[y - 1.1, 0.65], fixedrange=True)
    figure.update_layout(height=60 + round(64 * (0.65 - y + 1.1)), margin={"l": 0, "r": 0, "t": 0, "b": 0})
    return figure


def race(runners: Mapping[str, Net], words: Words) -> go.Figure:
    """Loss above, accuracy below, against steps; in the film, markers run along the curves epoch by epoch."""
    figure = make_subplots(
        rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.1, subplot_titles=(words["loss"], words["accuracy"])
    )
    for name, net in runners.items():
        line = {"color": COLOURS[name], "width": 2.5, "dash": DASHES[name]}
        for row, key, width in ((1, "loss", 2.5), (2, "training", 2.5), (2, "test", 1.0)):
            figure.add_scatter(
                x=net["steps"], y=_rounded(net[key]), name=words[name], mode="lines", line={**line, "width": width},
                legendgroup=name, showlegend=row == 1, row=row, col=1, hovertemplate="%{x}: %{y:.3g}",
            )  # fmt: skip
    marker = {
        "color": [COLOURS[name] for name in runners],
        "symbol": [SIGNS[name].removesuffix("-open") for name in runners],
        "size": 12,
    }
    for row in (1, 2):
        figure.add_scatter(x=[], y=[], mode="markers", marker=marker, showlegend=False, row=row, col=1)
    top = min(max((value for net in runners.values() for value in net["loss"]), default=1.0), 4.0)
    figure.update_yaxes(range=[0, 1.05 * top], row=1, col=1)  # a deep net's first epoch may lie far above the rest
    figure.update_yaxes(range=[0, 1.03], tickformat=".0%", row=2, col=1)
    steps = max((net["steps"][-1] for net in runners.values() if net["steps"]), default=1)
    figure.update_xaxes(range=[0, 1.02 * steps])
    figure.update_xaxes(title=words["step"], row=2, col=1)
    figure.update_layout(
        height=540, margin={**MARGIN, "t": 100},
        legend={"orientation": "h", "y": 1.07, "x": 0, "yanchor": "bottom"},  # where it needs two lines, it grows up
    )
    most = max(len(net["steps"]) for net in runners.values())
    if most > 1:
        places = (len(figure.data) - 2, len(figure.data) - 1)
        frames = [[_runners(runners, "loss", epoch), _runners(runners, "training", epoch)] for epoch in range(most + 1)]
        return film(figure, frames, places, words["frame"])
    return figure


def _runners(runners: Mapping[str, Net], key: str, epoch: int) -> dict[str, Any]:
    """Where each net is after so many epochs; one that has diverged stays where it was last seen."""
    shown = [(net["steps"][:epoch], _rounded(net[key])[:epoch]) for net in runners.values()]
    return {
        "type": "scatter",
        "x": [steps[-1] if steps else None for steps, _values in shown],
        "y": [values[-1] if values else None for _steps, values in shown],
    }


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(value, 4) for value in values]


def _shown(value: float) -> float | None:
    return float(f"{value:.5g}") if value > 0 and math.isfinite(value) else None


def _tick(values: Sequence[float]) -> int:
    """Powers of ten between two ticks, so that there are at most about eight."""
    span = math.log10(max(values) / min(values)) if values else 1.0
    return max(1, math.ceil(span / 8))


def _box(figure: go.Figure, top: float, text: str, colour: str) -> None:
    figure.add_shape(
        type="rect", x0=-0.58, x1=0.58, y0=top - 0.5, y1=top, line={"color": colour, "width": 1.5},
        fillcolor=colour, opacity=0.25, layer="below",
    )  # fmt: skip
    _text(figure, 0, top - 0.25, text)


def _arrow(
    figure: go.Figure, start: tuple[float, float], end: tuple[float, float], colour: str, width: float = 1.5
) -> None:
    figure.add_annotation(
        x=end[0], y=end[1], ax=start[0], ay=start[1], xref="x", yref="y", axref="x", ayref="y", arrowhead=2,
        arrowcolor=colour, arrowwidth=width, arrowsize=0.8, text="",
    )  # fmt: skip


def _text(figure: go.Figure, x: float, y: float, text: str, anchor: str = "center") -> None:
    figure.add_annotation(x=x, y=y, text=text, showarrow=False, xanchor=anchor, font={"size": 13})
