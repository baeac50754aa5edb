"""What pages that explain share: texts whose words lead to the map, and links to what can be run."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlencode

import streamlit as st

from app.language import KEY, _, current_language
from app.navigation import has_page, page
from content.concepts import RunLink

CONCEPTS: Final = "concepts"
_LINK = re.compile(r"\[([^\]]+)\]\(concept:([^)\s]*)\)")


def with_concept_links(markdown: str) -> str:
    """Turn ``[words](concept:slug)`` into a link to the map in the language of the session.

    Without a page for the map the words stay, and no link leads to nowhere.
    """
    if not has_page(CONCEPTS):
        return _LINK.sub(r"\1", markdown)
    return _LINK.sub(lambda found: f"[{found[1]}]({_address(found[2])})", markdown)


def show_text(markdown: str) -> None:
    """A text of the content; never one that a person has typed."""
    st.markdown(with_concept_links(markdown))


def concept_links(concepts: Iterable[tuple[str, str]]) -> None:
    """A row of links to concepts, given as pairs of slug and name."""
    parts = [f"[{name}]({_address(slug)})" if has_page(CONCEPTS) else name for slug, name in concepts]
    if parts:
        st.markdown(_("Concepts: {names}").format(names=" · ".join(parts)))


def run_links(runs: Iterable[RunLink]) -> None:
    """What can be run, each a link to its page in the prepared state; left out where the page is not there."""
    with st.container(horizontal=True):
        for run in runs:
            if has_page(run.page):
                st.page_link(
                    page(run.page),
                    label=run.label[current_language()],
                    icon=":material/play_arrow:",
                    query_params={name: str(value) for name, value in run.parameters.items()},
                )


def go_to_concept(slug: str) -> None:
    """Choose a concept on the map; the page shows it when it runs next."""
    st.query_params["node"] = slug


def _address(slug: str) -> str:
    return f"{CONCEPTS}?{urlencode({'node': slug, KEY: current_language()})}"
