"""What a page will want soon, asked for while the person is still reading."""

import streamlit as st

from app.components.chart import SCRIPT


def charts_ahead() -> None:
    """Let the browser fetch and read, beside what it does, the large script that draws charts, without running it.

    For a page that shows none before somebody presses a button: half a second less to the first curve.
    """
    st.html(f"<script>{charts_script()}</script>", unsafe_allow_javascript=True)


def charts_script() -> str:
    """What the browser runs for that; the policy of the server knows it by its digest."""
    return f"""{{
    const link = document.createElement("link")
    link.rel = "preload"
    link.as = "script"
    link.href = new URL("../..{SCRIPT}", document.querySelector("script[type=module][src]").src)
    document.head.append(link)
    }}"""
