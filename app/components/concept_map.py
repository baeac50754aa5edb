"""The map of concepts, and how one finds a way on it."""

from functools import cache
from itertools import pairwise

import networkx as nx
import streamlit as st

from app.components.address import choice
from app.components.graph import Box, Line, show_graph
from app.components.graph_files import graph_files
from app.components.reading import go_to_concept
from app.language import _, current_language
from content.concepts import EDGE_KINDS, KINDS, concept_graph, graph_one, load_concepts, shortest_path
from content.layout import Drawing, draw


@cache
def drawn(which: str) -> tuple[nx.DiGraph, Drawing]:
    """A graph and its places: worked out once, the content does not change while the server runs."""
    graph = graph_one() if which == "article" else concept_graph()
    if which == "article":  # five concepts need no empty columns between them
        columns = {layer: i for i, layer in enumerate(sorted({d["layer"] for _n, d in graph.nodes(data=True)}))}
        for _name, data in graph.nodes(data=True):
            data["layer"] = columns[data["layer"]]
    return graph, draw(graph)


def name_of(slug: str) -> str:
    return load_concepts()[slug].name[current_language()]


def _search() -> None:
    """A field that finds a concept by its name in either language."""

    def found() -> None:
        if st.session_state["search"]:
            go_to_concept(st.session_state["search"])
        st.session_state["search"] = None

    st.selectbox(
        _("Find a concept"),
        list(load_concepts()),
        index=None,
        key="search",
        format_func=lambda slug: " · ".join(dict.fromkeys((name_of(slug), load_concepts()[slug].name.en))),
        placeholder=_("Type a name"),
        on_change=found,
    )


def _kinds() -> list[str]:
    """The kinds that are shown; none chosen means all."""
    given = [kind for kind in st.query_params.get("kinds", "").split(",") if kind in KINDS]
    st.session_state["kinds"] = given

    def write() -> None:
        st.query_params["kinds"] = ",".join(st.session_state["kinds"])
        if not st.session_state["kinds"]:
            del st.query_params["kinds"]

    language = current_language()
    st.pills(
        _("Show only"),
        list(KINDS),
        selection_mode="multi",
        key="kinds",
        format_func=lambda kind: KINDS[kind][language],
        on_change=write,
    )
    return given


def _way() -> list[str]:
    """The shortest path between two concepts, said as a sentence."""
    names = {"": "—"} | {slug: name_of(slug) for slug in load_concepts()}
    left, right = st.columns(2)
    with left:
        start = choice(st.selectbox, _("From"), "from", names)
    with right:
        end = choice(st.selectbox, _("To"), "to", names)
    if not start or not end:
        return []
    path = shortest_path(start, end)
    if not path:
        st.info(_("No way leads from one to the other."))
        return []
    graph = concept_graph()
    language = current_language()
    steps = []
    for here, there in pairwise(path):
        forward = graph.has_edge(here, there)
        kind = graph.edges[(here, there) if forward else (there, here)]["kind"]
        words = EDGE_KINDS[kind][language]
        steps.append(f"{name_of(here)} → *{words}* → {name_of(there)}" if forward else
                     f"{name_of(here)} ← *{words}* ← {name_of(there)}")  # fmt: skip
    st.markdown("  \n".join(steps) or _("That is one and the same concept."))
    return path


def show_map(chosen: str) -> None:
    """The map with its search, its filter and the way between two concepts; a press chooses a concept."""
    language = current_language()
    which = choice(
        st.segmented_control,
        _("Graph"),
        "graph",
        {"all": _("The whole map"), "article": _("The article's five")},
        required=True,
        label_visibility="collapsed",
    )
    with st.expander(_("Search, filter, find the way between two"), icon=":material/search:"):
        _search()
        shown = _kinds()
        path = _way()
    graph, drawing = drawn(which)
    boxes = [
        Box(slug, *drawing.positions[slug], data[f"name_{language}"], KINDS[data["kind"]][language],
            list(KINDS).index(data["kind"]))
        for slug, data in graph.nodes(data=True)
        if not shown or data["kind"] in shown or slug in (chosen, *path)
    ]  # fmt: skip
    there = {box.id for box in boxes}
    lines = [
        Line(start, end, drawing.routes[start, end], EDGE_KINDS[data["kind"]][language])
        for start, end, data in graph.edges(data=True)
        if start in there and end in there
    ]
    picked = show_graph(
        boxes,
        lines,
        key=f"concepts-{which}",
        name=_("The map of concepts"),
        chosen=chosen,
        path=path,
        label_lines=which == "article",
        unit=(320, 90) if which == "article" else (192, 64),
        height=320 if which == "article" else 560,
    )
    if picked and picked != chosen:
        go_to_concept(picked)
        st.rerun()
    graph_files(graph, f"concepts-{which}")
