"""The language model from inside: what it expects next, where it looks, what it thinks after each layer."""

from typing import Any

import streamlit as st

from app.components import inside
from app.components.code import show_code
from app.components.lesson import concepts_here
from app.components.order import aside, chart_first
from app.components.page import page_header, user_errors
from app.language import _

TITLE = "Inside the model"
ICON = ":material/visibility:"
ORDER = 10


@st.fragment
@chart_first()
def lab() -> None:
    """Prompt and settings, and what the model makes of them."""
    with aside():
        run = inside.choose_run()
    if run is None:
        return
    left, right = st.columns([2, 5], gap="medium")
    with aside(left):
        settings = inside.settings()
    with right, user_errors():
        with aside():
            prompt = inside.prompt(run)
        found: dict[str, Any] = inside.looked(run, prompt, **settings)
        inside.show(found)


page_header(
    _("Inside the model"),
    _("Give a model you have trained the beginning of a text. It says what it expects next, where each token "
      "looks, and what it thinks after each layer."),
)  # fmt: skip
lab()
concepts_here(["language-model", "attention", "transformer", "tokenisation", "text-generation", "embedding"])
show_code(
    "core.language.model:Attention",
    "core.language.generate:distribution",
    "core.language.inside:look",
)
