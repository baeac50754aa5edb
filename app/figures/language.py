"""What the life of a language model measured. Numbers in, plotly figures out."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from app.figures.training import TRAINING, VALIDATION

Words = Mapping[str, str]


def loss(steps: Sequence[Mapping[str, Any]], uniform: float, unigram: float, words: Words) -> go.Figure:
    """Training loss in nats per token against steps, with what guessing costs."""
    figure = go.Figure(
        go.Scatter(x=[e["step"] for e in steps], y=[e["loss"] for e in steps], name=words["loss"], line_color=TRAINING)
    )
    for value, name, place in ((uniform, "uniform", "top right"), (unigram, "unigram", "bottom right")):
        figure.add_hline(
            y=value, line_dash="dot", line_color=VALIDATION, annotation_text=words[name], annotation_position=place
        )
    figure.update_yaxes(title=words["nats"], rangemode="tozero")
    figure.update_xaxes(title=words["step"])
    return _plain(figure, 300)


def shots(accuracies: Mapping[str, float], words: Words) -> go.Figure:
    """Accuracy against the number of examples of each class in the prompt."""
    values = list(accuracies.values())
    bars = go.Bar(x=list(accuracies), y=values, marker_color=TRAINING, text=values, texttemplate="%{y:.0%}")
    figure = go.Figure(bars)
    figure.update_xaxes(title=words["examples"], type="category")
    figure.update_yaxes(title=words["accuracy"], range=[0, 1.08], tickformat=".0%")
    return _plain(figure, 300)


def forgetting(matrix: Sequence[Sequence[float]], tasks: Sequence[str], words: Words) -> go.Figure:
    """Accuracy on each task (columns) after each task was learnt (rows), first row before any."""
    rows = [words["before"], *(words["after"].format(task=task) for task in tasks)]
    figure = go.Figure(
        go.Heatmap(
            z=matrix, x=list(tasks), y=rows, text=matrix, texttemplate="%{z:.0%}", colorscale="Cividis", zmin=0, zmax=1,
            showscale=False,
        )
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(type="category")
    return _plain(figure, 220)


def _plain(figure: go.Figure, height: int) -> go.Figure:
    figure.update_layout(height=height, margin={"l": 10, "r": 10, "t": 20, "b": 10}, showlegend=False)
    return figure
