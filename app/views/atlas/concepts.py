"""Concepts: the map of AI. Press a concept to read what it is, how it is tied to others, and to run it."""

import streamlit as st

from app.components.concept_map import show_map
from app.components.concept_text import show_concept
from app.components.page import page_header
from app.language import _
from content.concepts import load_concepts

TITLE = "Concepts"
ICON = ":material/hub:"
ORDER = 10
FIRST = "deep-learning"

page_header(
    _("Concepts"),
    _("The map of AI. Press a concept: what it is, how it hangs together with others, and where it runs."),
)
concepts = load_concepts()
for error in concepts.errors:
    st.error(str(error), icon=":material/error:")
node = st.query_params.get("node", FIRST)
if node not in concepts:
    st.warning(_("There is no concept of that name; this is where the map begins."))
    node = FIRST
show_map(node)
show_concept(concepts[node])
