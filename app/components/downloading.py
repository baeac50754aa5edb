"""What is fetched once from the internet, with a bar while it comes."""

import streamlit as st

from app.language import _
from core.runs import client

PIECE_S = 1.0  # between two looks at how far it is; others use the same process in between


def bring(what: str) -> None:
    """Fetch what a data set or a model still lacks. Raises `UserError` when it cannot be had.

    Whoever leaves the page interrupts it; the next visit goes on from there.
    """
    what = what.partition(":")[0]  # a folder's path makes no difference
    if f"brought-{what}" in st.session_state:
        return
    bar = None
    while not (state := client.call("core.vision.downloads:go_on", what=what, seconds=PIECE_S))["ready"]:
        bar = bar or st.empty()
        done, total = state["done"], state["total"]
        told = _("Downloading {file}: {done:.1f} of {total:.1f} MB").format(
            file=state["file"], done=done / 1e6, total=total / 1e6
        )
        bar.progress(min(1.0, done / total) if total else 0.0, text=told)
    st.session_state[f"brought-{what}"] = True
    if bar is not None:
        bar.empty()
