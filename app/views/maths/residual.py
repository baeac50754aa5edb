"""Residual connections: what a shortcut does to signal and gradient, and what it does to training."""

import streamlit as st

from app.components import residual_parts as parts
from app.components.code import show_code
from app.components.lesson import choose_part, concepts_here
from app.components.order import aside, chart_first
from app.components.page import page_header, user_errors
from app.components.residual_race import the_race
from app.language import _, mark

TITLE = "Residual connections"
ICON = ":material/alt_route:"
ORDER = 40
PARTS = {
    "start": (mark("Before training"), parts.at_the_start),
    "block": (mark("The block"), parts.a_block),
    "race": (mark("Race"), the_race),
}


@st.fragment
@chart_first()
def lab() -> None:
    """Controls beside what follows from them; only this runs when a slider moves."""
    left, right = st.columns([2, 5], gap="medium")
    with user_errors():
        with aside(left):
            nets = parts.controls()
        with right:
            choose_part(PARTS)(nets)


page_header(
    _("Residual connections"),
    _("Two stacks of layers from the same weights; one adds to each block's output what went into it. Follow the "
      "signal forward and the gradient back, then race them. What is the shortcut good for, and what is a legend?"),
)  # fmt: skip
lab()
concepts_here(["residual-connection", "degradation-problem", "vanishing-gradient", "initialisation",
               "batch-normalisation", "activation-function"])  # fmt: skip
show_code(
    "core.maths.residual:Block",
    "core.maths.residual:Stack",
    "core.maths.residual:_measured",
    "core.maths.residual:_train",
)
