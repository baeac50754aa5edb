"""The pipeline's graph with the state of a life on it, and the result of the step that was pressed."""

import streamlit as st

from app.components.graph import Box, Line, State, show_graph
from app.components.life import MEASURED, Told, comes_before, go_on, shown_run
from app.components.life_page import POLL_S, show_nodes, status, told
from app.components.life_results import show_loss, show_node, show_samples
from app.components.page import user_errors
from app.components.run_watcher import rerun_at_the_end
from app.language import _, current_language
from app.navigation import has_page, page
from content.layout import between_boxes
from content.pipeline import Pipeline
from core.runs.store import Run

NODE = "node"
# The page of each step, and what its link says there.
PAGES = {
    "large-scale-text": ("text", {}),
    "pre-training": ("pre-training", {}),
    "large-language-model": ("language-model", {}),
    "fine-tuning": ("fine-tuning", {"part": "both"}),
    "full-fine-tuning": ("fine-tuning", {}),
    "parameter-efficient-fine-tuning": ("fine-tuning", {"part": "lora"}),
    "prompting": ("prompting", {}),
    "zero-shot-learning": ("prompting", {"shots": "0"}),
    "few-shot-learning": ("prompting", {"part": "shots"}),
    "downstream-adaptation": ("adaptation", {}),
    "continual-learning": ("continual-learning", {}),
    "model-update": ("model-update", {}),
}


def _graph(pipeline: Pipeline, chosen: str, shown: dict[str, State], walked: bool = False) -> None:
    """The graph; `walked` marks the arrow back, once an update has become the base of a new round."""
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
        path=("model-update", "large-language-model") if walked else (),
    )  # fmt: skip
    if picked and picked != chosen:
        st.query_params[NODE] = picked
        st.rerun()


def watch_life(pipeline: Pipeline, slug: str, active: bool) -> None:
    """Show the graph and the chosen step; again each second while the run is active."""
    st.fragment(_live, run_every=POLL_S if active else None)(pipeline, slug)


def _live(pipeline: Pipeline, slug: str) -> None:
    with user_errors():
        run = shown_run()
        if run is None:
            _graph(pipeline, slug, {})
            _title(pipeline, slug)
            return
        rerun_at_the_end(run)
        found = told(run)
        round = found.life.get("round", 1)
        _graph(pipeline, slug, found.states(run), walked=round > 1)
        if round > 1:
            st.caption(_("Round {round}: an update has become the base.").format(round=round))
        _title(pipeline, slug)
        status(run)
        if slug == "pre-training" and found.running("pre-training") and found.steps:
            show_loss([(event["step"], event["loss"]) for event in found.steps], found.done["large-scale-text"])
            show_samples(found.samples)
        show_nodes(found, run, MEASURED[slug], show_node)
        _again(run, found, slug)


def _again(run: Run, found: Told, slug: str) -> None:
    """The way to the page of a step, and the step once more."""
    name, parameters = PAGES[slug]
    with st.container(horizontal=True):
        if has_page(name):
            st.page_link(page(name), label=_("Open this step's page"), icon=":material/open_in_full:",
                         query_params={"run": run.id, **parameters})  # fmt: skip
        disabled = run.active or bool(comes_before(MEASURED[slug], found))
        if st.button(_("Run this step again"), icon=":material/replay:", key="again", disabled=disabled):
            go_on(run, MEASURED[slug])
            st.rerun()
        stale = [node for node, event in found.done.items() if event.get("stale")]
        if stale and st.button(_("Run what is out of date"), icon=":material/update:", disabled=run.active):
            go_on(run, stale)
            st.rerun()


def _title(pipeline: Pipeline, slug: str) -> None:
    st.header(pipeline.nodes[slug].name[current_language()], anchor=False)
