"""Films: figures that the browser plays by itself, with play, pause, a step back, a step on, and a slider."""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

FRAME_MS = 90
_AT_ONCE = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}, "transition": {"duration": 0}}
_PLAYING = {**_AT_ONCE, "fromcurrent": True, "frame": {"duration": FRAME_MS, "redraw": True}}
_HELD = {**_AT_ONCE, "frame": {"duration": 0, "redraw": False}}


class Film(go.Figure):  # type: ignore[misc]  # plotly has no types
    """A figure with frames. They are made by us and put in as they are: plotly would check each for 4 ms."""

    def __init__(
        self,
        figure: go.Figure,
        frames: Sequence[Sequence[dict[str, Any]]],
        traces: Sequence[int],
        prefix: str,
        numbers: Sequence[int] | None = None,
    ) -> None:
        """`frames` hold, for each picture, the data of the traces that change, whose places are `traces`.

        `figure` must look like the first frame. `prefix` stands before the number on the slider, which counts from 0
        where `numbers` does not say how each frame is called.
        """
        super().__init__(figure)
        last = len(frames) - 1
        self._frames = [
            # Every frame carries its own buttons: plotly knows "go to" but no "next".
            {
                "name": str(k),
                "data": [{name: _packed(value) for name, value in trace.items()} for trace in data],
                "traces": list(traces),
                "layout": {"updatemenus": [_buttons(k, last)]},
            }
            for k, data in enumerate(frames)
        ]
        slider = _slider(numbers if numbers is not None else range(last + 1), prefix)
        self._controls = {"updatemenus": [_buttons(0, last)], "sliders": [slider]}

    def to_dict(self) -> dict[str, Any]:
        """The figure as plotly and Streamlit take it."""
        spec: dict[str, Any] = super().to_dict()
        return {**spec, "layout": {**spec["layout"], **self._controls}, "frames": self._frames}


def _packed(value: Any) -> Any:
    """An array as plotly.js takes it in bytes, a third of what its digits would need."""
    if not isinstance(value, np.ndarray):
        return value
    packed = np.ascontiguousarray(value)
    return {
        "dtype": f"{packed.dtype.kind}{packed.dtype.itemsize}",
        "bdata": base64.b64encode(packed.tobytes()).decode(),
        "shape": ", ".join(map(str, packed.shape)),
    }


def _go_to(number: int) -> list[Any]:
    return [[str(number)], _AT_ONCE]


def _buttons(number: int, last: int) -> dict[str, Any]:
    signs: list[tuple[str, list[Any]]] = [
        ("▶", [None, _PLAYING]),
        ("❚❚", [[None], _HELD]),
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
