"""Pipeline: the life of a language model as the article draws it, and as it runs here."""

import streamlit as st

from app.components.code import show_code
from app.components.graph_files import graph_files
from app.components.life import begin, settings, shown_run
from app.components.page import page_header, user_errors
from app.components.pipeline_graph import NODE, watch_life
from app.components.reading import concept_links, show_text
from app.language import _, current_language
from content.concepts import load_concepts
from content.errors import ContentError
from content.pipeline import Node, Pipeline, load_pipeline

TITLE = "Pipeline"
ICON = ":material/account_tree:"
ORDER = 20


def step(pipeline: Pipeline, node: Node) -> None:
    """What happens in a step, and what flows into it and out of it."""
    language = current_language()
    show_text(node.explanation[language])
    for arrow in pipeline.arrows:
        if node.slug in (arrow.start, arrow.end):
            start, end = (pipeline.nodes[slug].name[language] for slug in (arrow.start, arrow.end))
            st.markdown(f"- {start} → *{arrow.label[language]}* → {end}")
    known = load_concepts()
    concept_links((slug, known[slug].name[language]) for slug in node.concepts)


page_header(
    _("Pipeline"),
    _("The life of a language model, from text to update and back. Run it; press a step to see what it did."),
)
try:
    pipeline = load_pipeline()
except ContentError as error:
    st.error(str(error), icon=":material/error:")
    st.stop()
first = next(iter(pipeline.nodes))
chosen = st.query_params.get(NODE, first)
if chosen not in pipeline.nodes:
    st.warning(_("There is no step of that name; this is where the graph begins."))
    chosen = first
run = None
with user_errors():
    begin(settings())
    run = shown_run()
watch_life(pipeline, chosen, run is not None and run.active)
step(pipeline, pipeline.nodes[chosen])
graph_files(pipeline.graph(), "pipeline")
show_code("core.language.model:Attention", "core.language.lora:LowRank", "core.language.continual:fisher")
