"""What a page will want soon, asked for while the person is still reading."""

from functools import cache
from pathlib import Path

import streamlit as st

_SCRIPTS = Path(st.__file__).parent / "static" / "static" / "js"


def charts_ahead() -> None:
    """Let the browser fetch and read, beside what it does, the large script that draws charts, without running it.

    For a page that shows none before somebody presses a button: half a second less to the first curve.
    """
    script = charts_script()
    if script is not None:
        st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)


def charts_script() -> str | None:
    """What the browser runs for that; the policy of the server knows it by its digest."""
    name = _script_of_charts()
    if name is None:
        return None
    return f"""{{
    const link = document.createElement("link")
    link.rel = "modulepreload"
    link.href = new URL("{name}", document.querySelector("script[type=module][src]").src)
    document.head.append(link)
    }}"""


@cache
def _script_of_charts() -> str | None:
    """Its name in this version of Streamlit; None where it is called otherwise: then it comes when it is needed."""
    return next((file.name for file in _SCRIPTS.glob("PlotlyChart.*.js")), None)
