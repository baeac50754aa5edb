"""A language model from inside. Numbers in, plotly figures out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.figures.plain import Plain, title

BLUE = "#0072B2"
SHOWN = 12
Words = Mapping[str, str]


def next_token(probabilities: Sequence[float], vocabulary: Sequence[str], words: Words) -> Plain:
    """The most probable next words."""
    best = sorted(range(len(vocabulary)), key=lambda i: -probabilities[i])[:SHOWN][::-1]
    values = [probabilities[i] for i in best]
    bars = {
        "type": "bar", "orientation": "h", "x": values, "y": [vocabulary[i] for i in best], "marker": {"color": BLUE},
        "text": [f"{value:.1%}" for value in values], "textposition": "auto",
    }  # fmt: skip
    layout = {
        "xaxis": {**title(words["probability"]), "range": [0, 1.02], "tickformat": ".0%"},
        "yaxis": {"type": "category"},
        "height": 380, "margin": {"l": 10, "r": 10, "t": 10, "b": 10},
    }  # fmt: skip
    return Plain([bars], layout)


def attention(weights: Any, tokens: Sequence[str], words: Words) -> Plain:
    """Where each token (row) looks: weights (T, T), rows sum to 1."""
    names = [f"{place + 1} {token}" for place, token in enumerate(tokens)]  # a word may stand there twice
    heat = {"type": "heatmap", "z": np.asarray(weights, np.float32), "x": names, "y": names, "colorscale": "Cividis",
            "zmin": 0, "zmax": 1, "hovertemplate": "%{y} → %{x}: %{z:.0%}<extra></extra>"}  # fmt: skip
    layout = {
        "xaxis": {**title(words["to"]), "type": "category"},
        "yaxis": {**title(words["from"]), "type": "category", "autorange": "reversed"},
        "height": 460, "margin": {"l": 10, "r": 10, "t": 10, "b": 10},
    }  # fmt: skip
    return Plain([heat], layout)
