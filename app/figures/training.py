"""Curves of a training run, and what its test part showed. Numbers in, plotly figures out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.plain import Plain, Trace, title, two_panels
from app.text import for_plotly

TRAINING, VALIDATION = "#0072B2", "#D55E00"  # Okabe and Ito: told apart by every kind of colour vision
Event = Mapping[str, Any]


def curves(events: Sequence[Event], words: Mapping[str, str]) -> Plain:
    """Loss and accuracy against epochs: training as it goes, validation at the end of each epoch.

    `words` are the labels in the reader's language: loss, accuracy, epoch, training, validation.
    """
    steps = [event for event in events if event["event"] == "step"]
    epochs = [event for event in events if event["event"] == "epoch"]
    traces = []
    for panel, key in (("", "loss"), ("2", "accuracy")):
        place = {"type": "scatter", "xaxis": f"x{panel}", "yaxis": f"y{panel}", "showlegend": panel == ""}
        as_it_goes = {"mode": "lines", "opacity": 0.75, "line": {"color": TRAINING, "width": 1.5}}
        by_epoch = {"mode": "lines+markers", "line": {"color": VALIDATION, "width": 2.5}}
        traces += [
            {**place, **as_it_goes, "name": words["training"], **_points(steps, key)},
            {**place, **by_epoch, "name": words["validation"], **_points(epochs, f"validation_{key}")},
        ]
    layout = two_panels(
        (words["loss"], words["accuracy"]),
        x=(title(words["epoch"]), title(words["epoch"])),
        y=({"rangemode": "tozero"}, {"range": [0, 1.02], "tickformat": ".0%"}),
        height=330,
        margin={"l": 10, "r": 10, "t": 50, "b": 10},
        legend={"orientation": "h", "y": 1.2, "x": 0},
        uirevision="curves",  # a zoom survives the next redraw
    )
    return Plain(traces, layout)


def _points(events: Sequence[Event], key: str) -> Trace:
    return {"x": np.array([e["epoch"] for e in events], float), "y": np.array([e[key] for e in events], float)}


def confusion(matrix: Sequence[Sequence[int]], classes: Sequence[str], words: Mapping[str, str]) -> go.Figure:
    """How often each true class (rows) was taken for each class (columns)."""
    names = [for_plotly(name) for name in classes]
    figure = go.Figure(
        go.Heatmap(
            z=matrix,
            x=names,
            y=names,
            text=matrix,
            texttemplate="%{text}" if len(classes) <= 15 else None,
            colorscale="Cividis",
            showscale=False,
            hovertemplate=f"{words['true']}: %{{y}}<br>{words['predicted']}: %{{x}}<br>%{{z}}<extra></extra>",
        )
    )
    figure.update_xaxes(title=words["predicted"], type="category")
    figure.update_yaxes(title=words["true"], type="category", autorange="reversed")
    figure.update_layout(height=420, margin={"l": 10, "r": 10, "t": 10, "b": 10})
    return figure


def class_counts(counts: Mapping[str, Sequence[int]], classes: Sequence[str], words: Mapping[str, str]) -> go.Figure:
    """Pictures of each class in each part of a data set."""
    names = [for_plotly(name) for name in classes]
    figure = go.Figure([go.Bar(x=names, y=list(values), name=words[part]) for part, values in counts.items()])
    figure.update_layout(
        barmode="stack",
        height=230,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "y": 1.2},
        colorway=[TRAINING, VALIDATION, "#009E73"],
    )
    figure.update_xaxes(type="category")
    return figure


def compare(runs: Mapping[str, Sequence[Event]], words: Mapping[str, str]) -> go.Figure:
    """Validation accuracy and loss of several runs against epochs."""
    colours = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
    figure = make_subplots(rows=1, cols=2, subplot_titles=(words["accuracy"], words["loss"]))
    for place, (name, events) in enumerate(runs.items()):
        epochs = [event for event in events if event["event"] == "epoch"]
        for column, key in ((1, "accuracy"), (2, "loss")):
            figure.add_scatter(
                x=[e["epoch"] for e in epochs],
                y=[e[f"validation_{key}"] for e in epochs],
                name=for_plotly(name),
                mode="lines+markers",
                line={"color": colours[place % len(colours)]},
                showlegend=column == 1,
                row=1,
                col=column,
            )
    figure.update_yaxes(tickformat=".0%", row=1, col=1)
    figure.update_xaxes(title=words["epoch"])
    figure.update_layout(
        height=340, margin={"l": 10, "r": 10, "t": 60, "b": 10}, legend={"orientation": "h", "y": -0.25}
    )
    return figure
