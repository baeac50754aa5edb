"""Pipeline: the life of a language model as the article draws it, and as it runs here."""

import streamlit as st

from app.components.code import show_code
from app.components.graph import Box, Line, State, show_graph
from app.components.graph_files import graph_files
from app.components.life import MEASURED, begin, measured, settings, shown_run, states
from app.components.life_results import show_loss, show_node
from app.components.page import page_header, user_errors
from app.components.reading import concept_links, show_text
from app.components.run_buttons import run_buttons
from app.components.waiting import waiting
from app.components.who import me
from app.language import _, current_language, explain
from content.concepts import load_concepts
from content.errors import ContentError
from content.layout import between_boxes
from content.pipeline import Node, Pipeline, load_pipeline

TITLE = "Pipeline"
ICON = ":material/account_tree:"
ORDER = 20
NODE = "node"
POLL_S = 1.0


def the_graph(pipeline: Pipeline, chosen: str, shown: dict[str, State]) -> None:
    language = current_language()
    places = {slug: node.position for slug, node in pipeline.nodes.items()}
    boxes = [Box(slug, *places[slug], node.name[language], _("step")) for slug, node in pipeline.nodes.items()]
    lines = [
        Line(a.start, a.end, between_boxes(places[a.start], *a.via, places[a.end]), a.label[language])
        for a in pipeline.arrows
    ]
    picked = show_graph(
        boxes, lines, key="pipeline", name=_("The life of a language model"), chosen=chosen, curved=False,
        unit=(168, 72), height=360, states=shown,
    )  # fmt: skip
    if picked and picked != chosen:
        st.query_params[NODE] = picked
        st.rerun()


def live(pipeline: Pipeline, slug: str) -> None:
    """Graph and result of the chosen step; a fragment that looks again each second while the run is active."""
    with user_errors():
        run = shown_run()
        if run is None:
            the_graph(pipeline, slug, {})
            _title(pipeline, slug)
            return
        watched = f"watched-{run.id}"
        if st.session_state.get(watched, run.active) and not run.active:
            st.session_state[watched] = False
            st.rerun()  # once, at the end: the page stops looking
        st.session_state[watched] = run.active
        events, _size = run.folder.read_events()
        the_graph(pipeline, slug, states(run, events))
        _title(pipeline, slug)
        if run.state == "queued":
            st.info(waiting(run), icon=":material/schedule:")
        if run.error:
            st.error(explain(run.error))
        run_buttons(run)
        done = measured(events)
        steps = [event for event in events if event["event"] == "step"]
        if slug == "pre-training" and slug not in done and steps:
            show_loss(steps, done["large-scale-text"])
        for node in MEASURED[slug]:
            if node in done:
                show_node(node, done[node], done, steps)


def _title(pipeline: Pipeline, slug: str) -> None:
    st.header(pipeline.nodes[slug].name[current_language()], anchor=False)


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
    begin(settings(), me().id)
    run = shown_run()
st.fragment(live, run_every=POLL_S if run is not None and run.active else None)(pipeline, chosen)
step(pipeline, pipeline.nodes[chosen])
graph_files(pipeline.graph(), "pipeline")
show_code("core.language.model:Attention", "core.language.lora:LowRank", "core.language.continual:fisher")
