"""Makes a figure a film that the browser plays by itself: play, pause, a step back, a step on, and a slider."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

FRAME_MS = 90


def play(figure: go.Figure, frames: Sequence[Sequence[dict[str, Any]]], traces: Sequence[int], prefix: str) -> None:
    """Give `figure` its frames: for each the data of the traces that change, whose places are `traces`.

    The figure itself must look like the first frame. `prefix` stands before the frame's number on the slider, which
    counts from 0. Every frame carries its own buttons: plotly has no "next", only "go to".
    """
    last = len(frames) - 1
    figure.frames = [
        {
            "name": str(number),
            "data": list(data),
            "traces": list(traces),
            "layout": {"updatemenus": [_buttons(number, last)]},
        }
        for number, data in enumerate(frames)
    ]
    figure.update_layout(
        updatemenus=[_buttons(0, last)],
        sliders=[
            {
                "active": 0,
                "x": 0.32,
                "len": 0.68,
                "y": -0.12,
                "pad": {"t": 0, "b": 0},
                "currentvalue": {"prefix": f"{prefix} ", "xanchor": "right", "font": {"size": 13, "color": "#808080"}},
                "ticklen": 0,
                "minorticklen": 0,
                "font": {"size": 1, "color": "rgba(0,0,0,0)"},
                "steps": [
                    {"label": str(number), "method": "animate", "args": _go_to(number)} for number in range(last + 1)
                ],
            }
        ],
    )


def _go_to(number: int) -> list[Any]:
    at_once = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}, "transition": {"duration": 0}}
    return [[str(number)], at_once]


def _buttons(number: int, last: int) -> dict[str, Any]:
    playing = {
        "fromcurrent": True,
        "mode": "immediate",
        "frame": {"duration": FRAME_MS, "redraw": True},
        "transition": {"duration": 0},
    }
    held = {"mode": "immediate", "frame": {"duration": 0, "redraw": False}, "transition": {"duration": 0}}
    signs: list[tuple[str, list[Any]]] = [
        ("▶", [None, playing]),
        ("❚❚", [[None], held]),
        ("◂", _go_to(max(number - 1, 0))),
        ("▸", _go_to(min(number + 1, last))),
    ]
    return {
        "type": "buttons",
        "direction": "left",
        "showactive": False,
        "x": 0,
        "y": -0.12,
        "xanchor": "left",
        "yanchor": "top",
        "pad": {"t": 6, "r": 6},
        "buttons": [{"label": label, "method": "animate", "args": args} for label, args in signs],
    }
