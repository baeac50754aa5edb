"""Figures of a classified picture. Numbers in, figures and pictures out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from app.text import for_plotly

# Cividis, which is ordered alike for every kind of colour vision: dark blue, grey, yellow.
COLOURS = np.array([(0, 34, 78), (124, 123, 120), (254, 232, 56)], dtype=float)


def top_classes(top: Sequence[Mapping[str, Any]]) -> go.Figure:
    """The most probable classes as bars, the first at the top."""
    figure = go.Figure(
        go.Bar(
            x=[entry["probability"] for entry in top],
            y=[for_plotly(entry["label"]) for entry in top],
            orientation="h",
            text=[f"{entry['probability']:.1%}" for entry in top],
            marker_color="#0072B2",
        )
    )
    figure.update_xaxes(range=[0, 1], tickformat=".0%")
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_layout(height=220, margin={"l": 10, "r": 10, "t": 10, "b": 10})
    return figure


def heat_over(picture: NDArray[np.uint8], heatmap: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A (H,W,1 or 3) picture under its (H,W) heat map from 0 to 1: the warmer, the more of the map is seen."""
    heat = heatmap[:, :, None].astype(float)
    colour = np.stack([np.interp(heatmap, (0, 0.5, 1), COLOURS[:, c]) for c in range(3)], axis=2)
    blended: NDArray[np.uint8] = (picture * (1 - 0.6 * heat) + colour * 0.6 * heat).round().astype(np.uint8)
    return blended
