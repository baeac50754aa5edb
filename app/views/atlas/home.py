"""Home: what this is, the ways in, and the machine it runs on."""

from typing import Any

import streamlit as st

from app.components.page import page_header, user_errors
from app.language import _
from app.navigation import has_page, page
from core.runs import client

TITLE = "Home"
ICON = ":material/home:"
ORDER = 0


@st.cache_data(ttl=3600, show_spinner=False)
def machine() -> dict[str, Any]:
    found: dict[str, Any] = client.call("core.device:describe")
    return found


page_header(_("Concept Atlas"), _("A map of AI in which every concept runs: train, watch, break and check."))

WAYS = (
    ("concepts", _("See"), _("The map: what the words of AI mean, and how they hang together.")),
    ("train", _("Train"), _("Teach a network to read digits. It takes a few seconds, and you watch it learn.")),
    ("classify", _("Classify"), _("Show a photograph to a network, and see where it looked.")),
    ("runs", _("Compare"), _("All runs of the class: curves, figures, and everything to take home.")),
)
shown = [way for way in WAYS if has_page(way[0])]
for column, (slug, title, text) in zip(st.columns(len(shown)), shown, strict=True):
    with column, st.container(border=True, height="stretch"):
        st.subheader(title, anchor=False)
        st.markdown(text)
        st.page_link(page(slug), label=_("Open"), icon=":material/arrow_forward:")

st.subheader(_("This machine"), anchor=False)
with user_errors():
    facts = machine()
    with st.container(horizontal=True):
        st.metric(_("Computes on"), facts["device_name"].partition(",")[0])  # a CPU's threads stand beside it
        st.metric(_("Threads"), facts["threads"])
        if facts["memory_gib"]:
            st.metric(_("Memory"), f"{facts['memory_gib']:.0f} GiB")
        st.metric("torch", facts["versions"]["torch"])
