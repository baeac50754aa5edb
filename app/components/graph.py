"""A graph to look at, walk with the keyboard and press: SVG in the page itself, a list on a phone.

Python says where everything stands; ``graph.js`` draws it, pans, zooms and saves it as SVG or PNG. A small graph only
shows the way to a page: its boxes are links, and it has none of these controls. Names come in as data and are put in
as text.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from app.components.drawn import Drawing
from app.language import _
from content.layout import NODE_HEIGHT, NODE_WIDTH, Point

_FOLDER = Path(__file__).parent
_html, _css = ((_FOLDER / f"graph.{kind}").read_text(encoding="utf-8") for kind in ("html", "css"))
_graph = Drawing("atlas_graph", "graph.js", root=".graph", html=_html, css=_css)


@dataclass(frozen=True)
class Box:
    """A node: its centre in layers and rows, its name, the word for its kind, and which of the 8 styles it has."""

    id: str
    x: float
    y: float
    label: str
    kind: str
    style: int = 0


@dataclass(frozen=True)
class State:
    """How far a node is, the word for it, and its figure.

    `state` is "waiting", "running", "done", "stale", "stopped" or "failed".
    """

    state: str
    word: str
    figure: str = ""

    @property
    def sign(self) -> str:
        return {"waiting": "○", "running": "◔", "done": "✔", "stale": "↻", "stopped": "■", "failed": "✖"}[self.state]


@dataclass(frozen=True)
class Line:
    """An edge from the side of one box to that of another, in layers and rows."""

    start: str
    end: str
    points: Sequence[Point]
    label: str = ""


def show_graph(
    boxes: Sequence[Box],
    lines: Sequence[Line],
    *,
    key: str,
    name: str,
    chosen: str = "",
    path: Sequence[str] = (),
    states: Mapping[str, State] | None = None,
    line_labels: Mapping[tuple[str, str], str] | None = None,
    curved: bool = True,
    label_lines: bool = False,
    unit: tuple[int, int] = (192, 64),
    height: int = 560,
    share: Point = (NODE_WIDTH, NODE_HEIGHT),
    small: bool = False,
) -> str | None:
    """Show a graph; the id of the box that was pressed just now, or None.

    `name` is what a screen reader calls it, and `key` the file it is saved as. A graph too large to be read whole
    begins around `chosen`. Labels of lines show always (`label_lines`), or for the box that one points at.
    `states`, and `line_labels`, which show always and are given by the ids of start and end, may change without the
    graph being drawn anew. `unit` is the width of a layer and the height of a row in pixels, `height` that of the
    whole, `share` how much of a layer and a row a box takes.
    """
    data = {
        "boxes": [asdict(box) for box in boxes],
        "lines": [asdict(line) for line in lines],
        "name": name,
        "file": key,
        "chosen": chosen,
        "path": list(path),
        "states": {id: {**asdict(state), "sign": state.sign} for id, state in (states or {}).items()},
        "told": {f"{start} {end}": text for (start, end), text in (line_labels or {}).items()},
        "curved": curved,
        "label_lines": label_lines,
        "unit": {"x": unit[0], "y": unit[1]},
        "share": {"x": share[0], "y": share[1]},
        "small": small,
        "height": height,
        "words": {
            "zoom_in": _("Zoom in"),
            "zoom_out": _("Zoom out"),
            "fit": _("Show all of it"),
            "svg": _("Save as SVG"),
            "png": _("Save as PNG"),
        },
    }
    picked = _graph.show(key, json.dumps(data), height, on_chosen_change=lambda: None).chosen
    known = {box.id for box in boxes}
    return picked if picked in known else None
