"""What a concept is: its text, its ties, its sources, and where it runs."""

import streamlit as st

from app.components.concept_map import name_of
from app.components.reading import go_to_concept, run_links, show_text
from app.language import LANGUAGES, _, current_language
from content.concepts import EDGE_KINDS, KINDS, Concept, concept_graph


def show_concept(concept: Concept) -> None:
    """All about one concept, in one language or in both beside each other."""
    language = current_language()
    other = concept.name.en if language == "zh" else concept.name.zh
    st.header(concept.name[language], anchor=False)
    st.caption(f"{KINDS[concept.kind][language]} · {other}")
    run_links(concept.runs)
    both = st.toggle(_("Both languages side by side"), key="both", bind="query-params")
    languages = (language, *(code for code in LANGUAGES if code != language)) if both else (language,)
    for column, code in zip(st.columns(len(languages), gap="large"), languages, strict=True):
        with column:
            st.markdown(f"**{concept.definition[code]}**")
            for section in concept.sections[code]:
                st.subheader(section.heading, anchor=False)
                show_text(section.body)
    _ties(concept)
    st.subheader(_("Sources"), anchor=False)
    for source in concept.sources:
        st.markdown(f"- [{source.text}]({source.url}), {source.year}")


def _ties(concept: Concept) -> None:
    """Its neighbours, each to be pressed, by the kind of the tie."""
    graph, language = concept_graph(), current_language()
    st.subheader(_("How it is tied to the rest"), anchor=False)
    outward = [(EDGE_KINDS[edge.kind][language], "→", edge.to) for edge in concept.edges]
    inward = [(EDGE_KINDS[data["kind"]][language], "←", start) for start, _end, data in
              graph.in_edges(concept.slug, data=True)]  # fmt: skip
    with st.container(horizontal=True):
        for words, arrow, slug in outward + inward:
            pressed = st.button(f"{arrow} {words} {arrow} {name_of(slug)}", key=f"tie-{arrow}-{slug}")
            if pressed:
                go_to_concept(slug)
                st.rerun()
