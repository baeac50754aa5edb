"""Backpropagation: a formula as a graph, forward and backward one edge at a time."""

import streamlit as st

from app.components import computation
from app.components.address import choice
from app.components.code import show_code
from app.components.lesson import concepts_here
from app.components.page import page_header
from app.language import _

TITLE = "Backpropagation"
ICON = ":material/undo:"
ORDER = 30


@st.fragment
def lab() -> None:
    """Formula, values, and the walk through them; only this runs when something changes."""
    text = computation.formula()
    found = computation.computed(text, computation.values(text))
    if found is None:
        return
    parts = computation.parts()
    part = choice(
        st.pills, _("Part"), "part", {name: words for name, (words, _show) in parts.items()},
        required=True, label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    parts[part][1](found)
    computation.question(found)


page_header(
    _("Backpropagation"),
    _("How does a result change when a variable does? Go forward through the operations, then back along every edge: "
      "each multiplies by its own slope, and where ways meet they add up."),
)  # fmt: skip
lab()
concepts_here(["backpropagation", "gradient", "gradient-descent", "neural-network", "activation-function"])
show_code(
    "core.maths.backpropagation:steps",
    "core.maths.backpropagation:finite_difference",
    "core.maths.autograd_check:autograd",
    "core.maths.expression:parse",
)
