"""Cross-entropy: from logits to a loss, with every number in sight."""

import streamlit as st

from app.components import cross_entropy_parts as parts
from app.components.code import show_code
from app.components.lesson import choose_part, concepts_here
from app.components.logits import edit_case, from_a_run
from app.components.order import aside, chart_first, later
from app.components.page import page_header
from app.language import _, mark

TITLE = "Cross-entropy"
ICON = ":material/functions:"
ORDER = 10
PARTS = {
    "steps": (mark("Step by step"), parts.steps),
    "fit": (mark("Steps until it fits"), parts.fit),
    "surface": (mark("Surface"), parts.surface),
    "curve": (mark("Against squared error"), parts.curve),
    "trouble": (mark("Numerical trouble"), parts.trouble),
    "binary": (mark("Two classes, one logit"), parts.binary),
}


@st.fragment
@chart_first()
def lab() -> None:
    """Controls beside what follows from them; only this runs when a slider moves."""
    left, right = st.columns([2, 5], gap="medium")
    with aside(left):
        names = from_a_run()
        case = edit_case(names)
    with right:
        show = choose_part(PARTS)
        later(parts.numbers_now, case)
        show(case)
        parts.question(case)


page_header(
    _("Cross-entropy"),
    _("What a classifier pays for its answer: minus the logarithm of the probability it gave to what is true. "
      "Move a logit and follow it through softmax, loss and gradient."),
)  # fmt: skip
lab()
concepts_here(["cross-entropy", "softmax", "loss-function", "label-smoothing", "gradient"])
show_code(
    "core.maths.cross_entropy:log_softmax",
    "core.maths.cross_entropy:terms",
    "core.maths.cross_entropy:cross_entropy",
    "core.maths.cross_entropy:gradient",
    "core.maths.cross_entropy:naive_softmax",
    "core.maths.cross_entropy:twice_softmaxed",
)
