"""Figures as plain dictionaries, for pages that draw anew at every move of a slider.

plotly's own figures check each value they are given, which takes 50 ms for a figure of two panels; we know ours. The
dictionaries are in plotly's own format, so that its documentation is theirs.
"""

import base64
from typing import Any

import numpy as np
import plotly.graph_objects as go

Trace = dict[str, Any]
_SHORTER = {"<f8": np.float32, "<i8": np.int32}  # half the bytes; the browser knows no integers of 64 bits


class Plain:
    """A figure that is shown as it is given: traces, layout, and frames if it moves."""

    def __init__(self, data: list[Trace], layout: dict[str, Any], frames: list[dict[str, Any]] | None = None) -> None:
        self._spec: dict[str, Any] = {"data": [packed(trace) for trace in data], "layout": layout}
        if frames is not None:
            self._spec["frames"] = frames

    def to_dict(self) -> dict[str, Any]:
        """The figure in plotly's own format."""
        return {**self._spec, "layout": dict(self._spec["layout"])}


Figure = Plain | go.Figure  # what can be shown


def packed(value: Any) -> Any:
    """Arrays as plotly.js takes them in bytes, a third of what their digits would need; in dictionaries, too."""
    if isinstance(value, dict):
        return {name: packed(part) for name, part in value.items()}
    if not isinstance(value, np.ndarray):
        return value
    array = np.ascontiguousarray(value, _SHORTER.get(value.dtype.str))
    return {
        "dtype": f"{array.dtype.kind}{array.dtype.itemsize}",
        "bdata": base64.b64encode(array.tobytes()).decode(),
        "shape": ", ".join(map(str, array.shape)),
    }


def two_panels(
    titles: tuple[str, str], share: float = 0.5, *, x: tuple[Trace, Trace], y: tuple[Trace, Trace], **layout: Any
) -> dict[str, Any]:
    """The layout of two panels side by side; `share` of the width is the first one's. Traces of the second panel
    have "xaxis": "x2" and "yaxis": "y2"."""
    gap = 0.1
    first, second = (0.0, share * (1 - gap)), (share * (1 - gap) + gap, 1.0)
    heading = {"xref": "paper", "yref": "paper", "y": 1.0, "yanchor": "bottom", "showarrow": False, "xanchor": "center"}
    return {
        "xaxis": {"domain": first, "anchor": "y", **x[0]},
        "xaxis2": {"domain": second, "anchor": "y2", **x[1]},
        "yaxis": {"anchor": "x", **y[0]},
        "yaxis2": {"anchor": "x2", **y[1]},
        "annotations": [
            {**heading, "text": text, "x": sum(domain) / 2}
            for text, domain in zip(titles, (first, second), strict=True)
        ],
        "margin": {"l": 10, "r": 10, "t": 40, "b": 10},
        **layout,
    }


def title(text: str) -> Trace:
    """An axis title."""
    return {"title": {"text": text}}
