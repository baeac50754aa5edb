"""Continual learning: one task after another, what is forgotten on the way, and what helps."""

import streamlit as st

from app.components.code import show_code
from app.components.lesson import concepts_here
from app.components.life_page import about, beside, choose_life
from app.components.page import page_header, user_errors
from app.components.sequence import show_sequence
from app.language import _

TITLE = "Continual learning"
ICON = ":material/all_inclusive:"
ORDER = 50


def lab() -> None:
    run = choose_life()
    if run is not None:
        beside(run, ["continual-learning"], _("Learn in turn again"), "continual", show_sequence)


page_header(
    _("Continual learning"),
    _("The model learns task after task. After each one, all of them are tested: a matrix shows what was forgotten, "
      "and five methods show what helps against it."),
)  # fmt: skip
with user_errors():
    lab()
about(["continual-learning"])
st.caption(
    _("Measures: average accuracy and backward transfer after Lopez-Paz and Ranzato 2017 (arXiv 1706.08840, §3), "
      "forgetting after Chaudhry et al. 2018 (arXiv 1801.10112, §3).")
)  # fmt: skip
concepts_here(["continual-learning", "catastrophic-forgetting", "fine-tuning", "lora", "regularisation"])
show_code("core.language.continual:learn_in_turn", "core.language.continual:ewc_penalty",
          "core.language.continual:fisher")  # fmt: skip
