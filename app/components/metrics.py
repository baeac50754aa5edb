"""A few figures in a row."""

from collections.abc import Iterable

import streamlit as st


def metrics(shown: Iterable[tuple[str, str]]) -> None:
    """Each as its label and its value; where the page is narrow they take several rows."""
    with st.container(horizontal=True, gap="medium"):
        for label, value in shown:
            st.metric(label, value, width="content")
