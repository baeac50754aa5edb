"""Home: what this is, the ways in, the article's two graphs, and the machine it runs on."""

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
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader(title, anchor=False, width="content")
            st.page_link(page(slug), label=_("Open"), icon=":material/arrow_forward:", width="content")
        st.markdown(text)

from app.components.small_graphs import show_small_graphs  # noqa: E402  reads the content: the ways in come first

show_small_graphs()
with user_errors():
    facts = machine()
    told = {
        _("Computes on"): facts["device_name"].partition(",")[0],  # a CPU's threads are told next
        _("Threads"): facts["threads"],
        _("Memory"): f"{facts['memory_gib']:.0f} GiB" if facts["memory_gib"] else "",
        "torch": facts["versions"]["torch"],
    }
    st.caption(" · ".join([f"**{_('This machine')}**", *(f"{name}: {value}" for name, value in told.items() if value)]))
