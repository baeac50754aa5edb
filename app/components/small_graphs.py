"""The article's two graphs, small: what the Atlas is about at a glance, each box a way to its page."""

from collections.abc import Mapping

import streamlit as st

from app.components.concept_map import drawn, name_of
from app.components.graph import Box, Line, show_graph
from app.language import _, current_language
from app.navigation import has_page, page
from content.concepts import GRAPH_ONE, KINDS, load_concepts
from content.errors import ContentError
from content.layout import Point, between_boxes
from content.pipeline import load_pipeline

SHARE = (0.84, 0.74)  # boxes stand closer than in a large graph
HEIGHT = 220


def show_small_graphs() -> None:
    """The concepts and beside them the pipeline; a press opens the page of the graph with that box chosen."""
    left, right = st.columns([2, 5])
    with left:
        _lead_to("concepts", _("The map of concepts"), ":material/hub:")
        _concepts()
    with right:
        _lead_to("pipeline", _("The life of a language model"), ":material/account_tree:")
        _pipeline()


def _concepts() -> None:
    language = current_language()
    graph, drawing = drawn("article")
    boxes = [
        Box(slug, *drawing.positions[slug], name_of(slug), KINDS[load_concepts()[slug].kind][language])
        for slug in GRAPH_ONE
        if slug in graph  # one with a mistake is left out
    ]
    ways = [[drawing.positions[slug] for slug in edge] for edge in graph.edges]
    _show("concepts", boxes, dict(zip(graph.edges, ways, strict=True)), _("The map of concepts"), (100, 72))


def _pipeline() -> None:
    language = current_language()
    try:
        pipeline = load_pipeline()
    except ContentError as error:
        st.error(str(error), icon=":material/error:")
        return
    nodes = pipeline.nodes
    boxes = [Box(slug, *node.position, node.name[language], _("step")) for slug, node in nodes.items()]
    ways = {(a.start, a.end): [nodes[a.start].position, *a.via, nodes[a.end].position] for a in pipeline.arrows}
    _show("pipeline", boxes, ways, _("The life of a language model"), (114, 46))


def _show(
    slug: str, boxes: list[Box], ways: Mapping[tuple[str, str], list[Point]], name: str, unit: tuple[int, int]
) -> None:
    lines = [Line(start, end, between_boxes(*way, share=SHARE)) for (start, end), way in ways.items()]
    picked = show_graph(
        boxes, lines, key=f"small-{slug}", name=name, curved=False, unit=unit, height=HEIGHT, share=SHARE, small=True
    )
    if picked and has_page(slug):
        st.switch_page(page(slug), query_params={"node": picked})


def _lead_to(slug: str, label: str, icon: str) -> None:
    if has_page(slug):
        st.page_link(page(slug), label=label, icon=icon)
