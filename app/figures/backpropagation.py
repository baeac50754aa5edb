"""How near finite differences come. Numbers in, plotly figure out."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from app.figures.palette import BLUE, RED


def difference_error(
    steps: Sequence[float], errors: Sequence[float], now: tuple[float, float], words: Mapping[str, str]
) -> go.Figure:
    """The error of the finite difference against h, both on log scales; an error of 0 is drawn at 1e-17."""
    figure = go.Figure(
        go.Scatter(x=list(steps), y=[max(e, 1e-17) for e in errors], mode="lines+markers", line_color=BLUE)
    )
    figure.add_scatter(x=[now[0]], y=[max(now[1], 1e-17)], mode="markers", marker={"color": RED, "size": 12})
    figure.update_xaxes(type="log", title="h", exponentformat="power", dtick=4)
    figure.update_yaxes(type="log", title=words["error"], exponentformat="power")
    figure.update_layout(height=300, margin={"l": 10, "r": 10, "t": 10, "b": 10}, showlegend=False)
    return figure
