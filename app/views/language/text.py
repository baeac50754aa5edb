"""Text: what a language model is made of, before any model is there."""

import streamlit as st

from app.components import text_facts
from app.components.code import show_code
from app.components.lesson import concepts_here
from app.components.order import aside, chart_first
from app.components.page import page_header, user_errors
from app.components.text_source import WORLD, choose_source
from app.language import _
from app.navigation import has_page, page

TITLE = "Text"
ICON = ":material/menu_book:"
ORDER = 1


@st.fragment
@chart_first()
def lab() -> None:
    """A text, how it is cut into tokens, and what there is to know of them."""
    with user_errors():
        with aside():
            source = choose_source()
        if source == WORLD:
            text_facts.show(text_facts.world())
        elif source is not None:
            with aside():
                tokens, size = text_facts.choose_tokens()
            with st.spinner(_("Cutting the text into tokens …")):  # five megabytes take a while
                found = text_facts.text_facts(source, tokens, size)
            text_facts.show(found)
            if has_page("pre-training"):
                link = {"source": source, "tokens": tokens, "vocabulary": str(size)}
                st.page_link(page("pre-training"), label=_("Train a model on this text"), query_params=link,
                             icon=":material/play_arrow:")  # fmt: skip


page_header(
    _("Text"),
    _("A language model is made of text. Choose one, cut it into tokens, and see how often each occurs, what is "
      "repeated, and what is held back for validation."),
)  # fmt: skip
lab()
concepts_here(["tokenisation", "language-model", "training-data", "data-split", "natural-language-processing"])
show_code("core.language.tokens:Tokens", "core.language.corpus:zipf", "core.language.stories:stories")
