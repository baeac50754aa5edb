"""Backpropagation: a formula as a graph, forward and backward one edge at a time."""

import streamlit as st

from app.components import computation_parts as parts
from app.components.code import show_code
from app.components.computation import computed, question
from app.components.lesson import choose_part, concepts_here
from app.components.order import aside, chart_first
from app.components.page import page_header
from app.language import _, mark

TITLE = "Backpropagation"
ICON = ":material/undo:"
ORDER = 30


PARTS = {
    "walk": (mark("Forward and backward"), parts.walk),
    "check": (mark("Check the gradients"), parts.check),
}


@st.fragment
@chart_first()
def lab() -> None:
    """Formula, values, and the walk through them; only this runs when something changes."""
    with aside():
        found = computed()
    choose_part(PARTS)(found)
    question(found)


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
