"""Films: figures that the browser plays by itself, with play, pause, a step back, a step on, and a slider."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from app.figures.plain import Plain, Trace, packed

FRAME_MS = 90
_AT_ONCE = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}, "transition": {"duration": 0}}
_PLAYING = {**_AT_ONCE, "fromcurrent": True, "frame": {"duration": FRAME_MS, "redraw": True}}
_HELD = {**_AT_ONCE, "frame": {"duration": 0, "redraw": False}}
Frames = Sequence[Sequence[Trace]]


def film_of(
    data: list[Trace],
    layout: dict[str, Any],
    frames: Frames,
    traces: Sequence[int],
    prefix: str,
    numbers: Sequence[int] | None = None,
) -> Plain:
    """A film of plain traces and layout, which look like its first frame.

    `frames` hold, for each picture, the data of the traces that change, whose places are `traces`. `prefix` stands
    before the number on the slider, which counts from 0 where `numbers` does not say how each frame is called.
    """
    last = len(frames) - 1
    moving = [
        # Every frame carries its own buttons: plotly knows "go to" but no "next".
        {
            "name": str(k),
            "data": [packed(trace) for trace in frame],
            "traces": list(traces),
            "layout": {"updatemenus": [{"buttons": _buttons(k, last)}]},
        }
        for k, frame in enumerate(frames)
    ]
    slider = _slider(numbers if numbers is not None else range(last + 1), prefix)
    return Plain(data, {**layout, "updatemenus": [_menu(last)], "sliders": [slider]}, moving)


def film(
    figure: go.Figure, frames: Frames, traces: Sequence[int], prefix: str, numbers: Sequence[int] | None = None
) -> Plain:
    """`film_of` for a figure that plotly has made."""
    spec = figure.to_dict()
    return film_of(spec["data"], spec["layout"], frames, traces, prefix, numbers)


def _go_to(number: int) -> list[Any]:
    return [[str(number)], _AT_ONCE]


def _buttons(number: int, last: int) -> list[dict[str, Any]]:
    signs: list[tuple[str, list[Any]]] = [
        ("▶", [None, _PLAYING]),
        ("❚❚", [[None], _HELD]),
        ("◂", _go_to(max(number - 1, 0))),
        ("▸", _go_to(min(number + 1, last))),
    ]
    return [{"label": label, "method": "animate", "args": args} for label, args in signs]


def _menu(last: int) -> dict[str, Any]:
    return {
        "type": "buttons",
        "direction": "left",
        "showactive": False,
        "x": 0,
        "y": -0.12,
        "xanchor": "left",
        "yanchor": "top",
        "pad": {"t": 6, "r": 6},
        "buttons": _buttons(0, last),
    }


def _slider(numbers: Sequence[int], prefix: str) -> dict[str, Any]:
    steps = [{"label": str(number), "method": "animate", "args": _go_to(k)} for k, number in enumerate(numbers)]
    return {
        "active": 0,
        "x": 0,
        "len": 1,
        "y": -0.12,
        "pad": {"t": 48, "b": 0},
        "currentvalue": {"prefix": f"{prefix} ", "xanchor": "right", "font": {"size": 13, "color": "#808080"}},
        "ticklen": 0,
        "minorticklen": 0,
        "font": {"size": 1, "color": "rgba(0,0,0,0)"},  # a number under every notch would be too many
        "steps": steps,
    }
