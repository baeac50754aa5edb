"""Gradient steps: down a landscape, one step at a time or as a race."""

import streamlit as st

from app.components import descent_parts as parts
from app.components.code import show_code
from app.components.lesson import choose_part, concepts_here
from app.components.order import aside, chart_first
from app.components.page import page_header, user_errors
from app.language import _, mark

TITLE = "Gradient steps"
ICON = ":material/trending_down:"
ORDER = 20
PARTS = {
    "step": (mark("One step at a time"), parts.one_step),
    "race": (mark("Race"), parts.race),
    "rates": (mark("Learning rates"), parts.rates),
}


@st.fragment
@chart_first()
def lab() -> None:
    """Controls beside what follows from them; only this runs when a slider moves."""
    left, right = st.columns([2, 5], gap="medium")
    with user_errors():
        with aside(left):
            walk = parts.controls()
        with right:
            choose_part(PARTS)(walk)
            parts.question(walk)


page_header(
    _("Gradient steps"),
    _("Learning is walking downhill: look how the ground slopes, take a step, look again. Choose a landscape, a start "
      "and a learning rate; then step, race the optimisers, or see which learning rates hold."),
)  # fmt: skip
lab()
concepts_here(["gradient-descent", "learning-rate", "stochastic-gradient-descent", "momentum", "adam",
               "learning-rate-schedule"])  # fmt: skip
show_code(
    "core.maths.descent:descend",
    "core.maths.descent:scheduled",
    "core.maths.race:race",
    "core.maths.surfaces:curvature_at",
    "core.maths.digits_slice:_Slice",
)
