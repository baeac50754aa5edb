"""Model update: versions, the gate before them, and the way back to the beginning of the loop."""

import streamlit as st

from app.components import versions as parts
from app.components.code import show_code
from app.components.lesson import choose_part, concepts_here
from app.components.life import Told
from app.components.life_page import about, beside, choose_life, show_live, told
from app.components.page import page_header, user_errors
from app.language import _, mark
from core.runs.store import Run

TITLE = "Model update"
ICON = ":material/system_update_alt:"
ORDER = 60


def the_gate(run: Run) -> None:
    beside(run, ["update"], _("Decide again"), "update", parts.show_gate)


def the_tree(run: Run) -> None:
    show_live(run, _tree)


def _tree(run: Run, told: Told) -> None:
    if told.life.get("round", 1) > 1:
        st.caption(_("Round {round}: an update has become the base.").format(round=told.life["round"]))
    chosen = parts.tree(told)
    if chosen is None:
        st.info(_("There are no versions yet: pre-training makes the first one."))
        return
    parts.one_version(run, told, chosen)


def to_compare(run: Run) -> None:
    parts.compare(run, told(run))


PARTS = {
    "gate": (mark("The gate"), the_gate),
    "tree": (mark("Versions"), the_tree),
    "compare": (mark("Compare two"), to_compare),
}


def lab() -> None:
    run = choose_life()
    if run is not None:
        choose_part(PARTS)(run)


page_header(
    _("Model update"),
    _("An update comes into use only if no skill falls by more than you allow. What passes becomes the base of the "
      "next round; what does not is kept, with the reason."),
)  # fmt: skip
with user_errors():
    lab()
about(["model-update"])
concepts_here(["continual-learning", "catastrophic-forgetting", "fine-tuning", "large-language-model"])
show_code("core.language.update:Versions", "core.language.nodes:update")
