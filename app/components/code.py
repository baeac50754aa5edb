"""The code that runs, shown: the very lines of the function, cut out of its file without importing it."""

import streamlit as st

from app.language import _
from core.source import definition


@st.fragment
def show_code(*names: str) -> None:
    """An expander with the source of each "package.module:function".

    Empty until it is opened: a browser lays out and colours what a closed one holds, half a second for these lines.
    """
    panel = st.expander(_("The code that runs"), icon=":material/code:", key="code", bind="query-params")
    if not panel.open:
        return
    with panel:
        for name in names:
            module, _colon, wanted = name.partition(":")
            line, text = _definition(module, wanted)
            st.caption(f"{module.replace('.', '/')}.py:{line}")
            st.code(text, language="python")


@st.cache_resource
def _definition(module: str, name: str) -> tuple[int, str]:
    return definition(module, name)
