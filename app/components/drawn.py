"""Parts of a page that a script of ours draws, such as charts and graphs.

The browser fetches the scripts from us once, where Streamlit would send them with every update. What is to be drawn
comes with the page, as text, and before the page where a run is for it (`app.components.order`), over the session's
line (`app.serving.line`); ``line.js`` takes what comes first.
"""

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import streamlit as st

from app.components.order import chart_is_there, is_next_first
from app.serving.line import Line

_FOLDER = Path(__file__).parent
_LINE = "line-to-browser"
SCRIPTS = {name: (_FOLDER / name).read_bytes() for name in ("chart.js", "graph.js", "line.js")}
# Where the server has them: under another name when they are others, so that a browser may keep them.
PLACE = f"/drawn/{hashlib.sha256(b''.join(SCRIPTS.values())).hexdigest()[:12]}/"
# These lines stand for a script. It is asked for once: each further import would wait behind what React does meanwhile.
# Until it is there its place is kept free, so that nothing moves away under a finger.
_FETCH = """let draw;
export default (given) => draw ? draw(given) : (async () => {{
  const data = new Uint8Array(given.data), head = new TextDecoder().decode(data.subarray(0, data.indexOf(10)));
  given.parentElement.querySelector("{root}").style.minHeight = JSON.parse(head).height + "px";
  const app = document.querySelector("script[type=module][src]").src; // …/static/js/index.js of where the app lives
  draw = (await import(new URL("../..{place}{script}", app))).default;
  return draw(given);
}})();"""


class Drawing:
    """A kind of part, drawn by one of `SCRIPTS` into the element `root` of `html`."""

    def __init__(
        self, name: str, script: str, *, root: str, html: str, css: str, isolate_styles: bool = True
    ) -> None:
        fetch = _FETCH.format(place=PLACE, script=script, root=root)
        self._mount = st.components.v2.component(name, html=html, css=css, js=fetch, isolate_styles=isolate_styles)

    def show(self, key: str, text: str, height: int, **answers: Any) -> Any:
        """One of them, about so many pixels high.

        Its script is given `text`, and `answers` are those of a component of Streamlit's.
        """
        if _LINE not in st.session_state:
            st.session_state[_LINE] = Line(), Counter()
        line, numbers = st.session_state[_LINE]
        first = is_next_first()
        numbers[key] += first
        head = json.dumps({"key": key, "line": line.name, "number": numbers[key], "height": height})
        told = f"{head}\n{text}".encode()
        sent = first and line.send(told)
        result = self._mount(key=key, data=told, **answers)
        chart_is_there(line if sent else None)
        return result
