"""The code that runs, shown: the very lines of the function, cut out of its file without importing it."""

import streamlit as st

from app.language import _
from core.source import definition


def show_code(*names: str) -> None:
    """An expander with the source of each "package.module:function"."""
    with st.expander(_("The code that runs"), icon=":material/code:"):
        for name in names:
            module, _colon, wanted = name.partition(":")
            line, text = _definition(module, wanted)
            st.caption(f"{module.replace('.', '/')}.py:{line}")
            st.code(text, language="python")


@st.cache_resource
def _definition(module: str, name: str) -> tuple[int, str]:
    return definition(module, name)
