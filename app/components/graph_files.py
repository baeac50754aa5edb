"""A graph to take home as text for other programs."""

import networkx as nx
import streamlit as st

from app.language import _, current_language
from content.export import to_graphml, to_mermaid


def graph_files(graph: nx.DiGraph, name: str) -> None:
    """Mermaid and GraphML, written when pressed; SVG and PNG are saved from the picture itself."""
    language = current_language()
    with st.popover(_("Take the graph home"), icon=":material/download:"):
        st.markdown(_("SVG and PNG: the buttons above the picture. For other programs:"))
        with st.container(horizontal=True):
            for label, ending, text in (
                ("Mermaid", "mmd", lambda: to_mermaid(graph, language)),
                ("GraphML", "graphml", lambda: to_graphml(graph)),
            ):
                file = f"{name}.{ending}"
                st.download_button(label, text, file, "text/plain", key=file, on_click="ignore")
