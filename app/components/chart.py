"""Charts: a figure goes to the browser, which draws it by plotly.js and changes it in place when another comes.

Streamlit's own chart is made anew for every new figure, which takes the browser 100 ms and forgets what was zoomed.
"""

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import streamlit as st
from plotly.io.json import to_json_plotly

from app.components.drawn import Drawing
from app.figures.plain import Figure
from app.language import _

# Where the server has the library: under another name when it is another.
LIBRARY_PATH = f"/drawn/plotly-{version('plotly')}.js"
PLOTLYS_HEIGHT = 450  # where a figure does not say
_chart = Drawing(
    "atlas_chart",
    "chart.js",
    root=".chart",
    html='<div class="chart" role="figure"></div>',
    css=Path(__file__).with_name("chart.css").read_text(encoding="utf-8"),
    isolate_styles=False,  # plotly.js puts its styles into the page, which a shadow root would not see
)


def show_chart(
    figure: Figure,
    key: str,
    alt: str,
    *,
    tools: bool = True,
    still: bool = False,
    on_press: Callable[[float, float], None] | None = None,
) -> None:
    """Show a figure; `alt` is what a screen reader calls it.

    `tools` are the buttons that zoom, save and fill the screen; a `still` chart answers to nothing. `on_press` is
    called with the place that was pressed in the first panel, on a trace, before the page is drawn again.
    """
    spec = figure.to_dict()
    spec["layout"].pop("template", None)  # the browser has ours, in the colours of its theme
    data = {
        "figure": spec, "name": alt, "library": LIBRARY_PATH.rpartition("/")[2], "words": _words(), "tools": tools,
        "still": still, "press": on_press is not None,
    }  # fmt: skip

    def pressed() -> None:
        point = st.session_state[key].press
        if on_press is not None and point is not None:
            on_press(float(point["x"]), float(point["y"]))

    height = spec["layout"].get("height", PLOTLYS_HEIGHT)
    _chart.show(key, to_json_plotly(data), height, on_press_change=pressed)


def _words() -> dict[str, str]:
    """What plotly.js says, by its own words, and what we say."""
    return {
        "full": _("Full screen"),
        "play": _("Play"),
        "pause": _("Pause"),
        "back": _("One back"),
        "on": _("One on"),
        "frame": _("Picture of the film"),
        "missing": _("The chart could not be fetched from the server. Reload the page."),
        "Download plot as a PNG": _("Save as PNG"),
        "Zoom": _("Zoom by drawing a frame"),
        "Pan": _("Move"),
        "Zoom in": _("Zoom in"),
        "Zoom out": _("Zoom out"),
        "Reset axes": _("Show all of it"),
        "Orbital rotation": _("Turn"),
        "Reset camera to default": _("Show all of it"),
        "Double-click to zoom back out": _("Press twice to see all of it again."),
        "Taking snapshot - this may take a few seconds": _("The picture is being made."),
        "Snapshot succeeded": _("The picture is saved."),
    }
