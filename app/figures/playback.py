"""Films: figures with a frame for each step; what plays them is in the browser (`app/components/chart.js`)."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from app.figures.plain import Plain, Trace, packed

Frames = Sequence[Sequence[Trace]]


def film_of(
    data: list[Trace],
    layout: dict[str, Any],
    frames: Frames,
    traces: Sequence[int],
    name: str,
    numbers: Sequence[int] | None = None,
) -> Plain:
    """A film of plain traces and layout, which look like its first frame.

    `frames` hold, for each picture, the data of the traces that change, whose places are `traces`. `name`, with a
    {number}, is what a frame is called; they count from 0 where `numbers` does not say otherwise.
    """
    moving = [
        {"name": str(k), "data": [packed(trace) for trace in frame], "traces": list(traces)}
        for k, frame in enumerate(frames)
    ]
    called = [name.format(number=number) for number in (range(len(frames)) if numbers is None else numbers)]
    return Plain(data, {**layout, "meta": {"frames": called}}, moving)


def film(
    figure: go.Figure, frames: Frames, traces: Sequence[int], name: str, numbers: Sequence[int] | None = None
) -> Plain:
    """`film_of` for a figure that plotly has made."""
    spec = figure.to_dict()
    return film_of(spec["data"], spec["layout"], frames, traces, name, numbers)
