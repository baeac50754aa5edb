"""Fine-tuning: the same model taught a new task, with all of its weights or with a few new ones."""

import streamlit as st

from app.components import tuning
from app.components.address import choice
from app.components.code import show_code
from app.components.lesson import concepts_here
from app.components.life_page import about, again, choose_life, show_live
from app.components.page import page_header, user_errors
from app.language import _, mark

TITLE = "Fine-tuning"
ICON = ":material/tune:"
ORDER = 20
PARTS = {
    "full": (mark("Full fine-tuning"), ["full-fine-tuning"], tuning.show_full),
    "lora": (mark("LoRA"), ["lora"], tuning.show_lora),
    "both": (mark("Side by side"), ["full-fine-tuning", "lora"], tuning.show_both),
}


def lab() -> None:
    """Controls beside what came of them."""
    run = choose_life()
    if run is None:
        return
    words = {name: _(text) for name, (text, _nodes, _show) in PARTS.items()}
    part = choice(st.pills, _("Part"), "part", words, required=True, label_visibility="collapsed")
    _text, nodes, show = PARTS[part]
    left, right = st.columns([2, 5], gap="medium")
    with left:
        again(run, nodes, _("Fine-tune again"), part)
    with right:
        show_live(run, show)


page_header(
    _("Fine-tuning"),
    _("Teach your model a new task. See the new skill rise and the old ones fall, step by step; then freeze its "
      "weights and train only a small change beside them."),
)  # fmt: skip
with user_errors():
    lab()
about(["fine-tuning", "full-fine-tuning", "parameter-efficient-fine-tuning"])
concepts_here(["fine-tuning", "full-fine-tuning", "parameter-efficient-fine-tuning", "lora",
               "catastrophic-forgetting", "transfer-learning"])  # fmt: skip
show_code("core.language.lora:LowRank", "core.language.lora:add_lora", "core.language.nodes:full_fine_tuning",
          "core.language.nodes:lora")  # fmt: skip
