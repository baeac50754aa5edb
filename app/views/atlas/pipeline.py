"""Pipeline: the life of a language model as the article draws it, twelve steps and a cycle."""

import streamlit as st

from app.components.graph import Box, Line, show_graph
from app.components.graph_files import graph_files
from app.components.page import page_header
from app.components.reading import concept_links, show_text
from app.language import _, current_language
from content.concepts import load_concepts
from content.errors import ContentError
from content.layout import between_boxes
from content.pipeline import Node, Pipeline, load_pipeline

TITLE = "Pipeline"
ICON = ":material/account_tree:"
ORDER = 20
NODE = "node"


def the_graph(pipeline: Pipeline, chosen: str) -> None:
    language = current_language()
    places = {slug: node.position for slug, node in pipeline.nodes.items()}
    boxes = [Box(slug, *places[slug], node.name[language], _("step")) for slug, node in pipeline.nodes.items()]
    lines = [
        Line(a.start, a.end, between_boxes(places[a.start], *a.via, places[a.end]), a.label[language])
        for a in pipeline.arrows
    ]
    picked = show_graph(
        boxes, lines, key="pipeline", name=_("The life of a language model"), chosen=chosen, curved=False,
        unit=(168, 72), height=360,
    )  # fmt: skip
    if picked and picked != chosen:
        st.query_params[NODE] = picked
        st.rerun()
    graph_files(pipeline.graph(), "pipeline")


def step(pipeline: Pipeline, node: Node) -> None:
    """What happens in a step, what flows into it and out of it, and what its own page is to show."""
    language = current_language()
    st.header(node.name[language], anchor=False)
    show_text(node.explanation[language])
    for arrow in pipeline.arrows:
        if node.slug in (arrow.start, arrow.end):
            start, end = (pipeline.nodes[slug].name[language] for slug in (arrow.start, arrow.end))
            st.markdown(f"- {start} → *{arrow.label[language]}* → {end}")
    known = load_concepts()
    concept_links((slug, known[slug].name[language]) for slug in node.concepts)
    st.info(
        _("This step does not run here yet. When it does, it will show: {what}").format(what=node.shows[language]),
        icon=":material/schedule:",
    )


page_header(
    _("Pipeline"),
    _("The life of a language model, from text to update and back. Press a step to read what happens in it."),
)
try:
    pipeline = load_pipeline()
except ContentError as error:
    st.error(str(error), icon=":material/error:")
    st.stop()
first = next(iter(pipeline.nodes))
node = st.query_params.get(NODE, first)
if node not in pipeline.nodes:
    st.warning(_("There is no step of that name; this is where the graph begins."))
    node = first
the_graph(pipeline, node)
step(pipeline, pipeline.nodes[node])
