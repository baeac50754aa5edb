"""Charts: a figure goes to the browser, which draws it by plotly.js and changes it in place when another comes.

Streamlit's own chart is made anew for every new figure, which takes the browser 100 ms and forgets what was zoomed.
"""

import hashlib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import streamlit as st
from plotly.io.json import to_json_plotly

from app.components.order import chart_is_there
from app.figures.plain import Figure
from app.language import _

_FOLDER = Path(__file__).parent
DRAWING = (_FOLDER / "chart.js").read_bytes()
# Where the server has the library and what draws with it: under another name when they are others.
LIBRARY_PATH = f"/charts/plotly-{version('plotly')}.js"
DRAWING_PATH = f"/charts/chart-{hashlib.sha256(DRAWING).hexdigest()[:12]}.js"
# Streamlit sends a component's script with every update of each chart; these lines stand for it. What draws is asked
# for once: each further import would wait until React has done what came in meanwhile.
_FETCH = f"""let draw;
export default (given) => draw ? draw(given) : (async () => {{
  const app = document.querySelector("script[type=module][src]").src; // …/static/js/index.js of where the app lives
  draw = (await import(new URL("../..{DRAWING_PATH}", app))).default;
  return draw(given);
}})();"""
_mount = st.components.v2.component(
    "atlas_chart",
    html='<div class="chart" role="figure"></div>',
    css=(_FOLDER / "chart.css").read_text(encoding="utf-8"),
    js=_FETCH,
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

    _mount(key=key, data=to_json_plotly(data).encode(), on_press_change=pressed)
    chart_is_there()


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
