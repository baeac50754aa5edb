"""Prompting: no weight changes, the examples in the prompt do the work."""

import streamlit as st

from app.components import prompting as parts
from app.components.address import choice
from app.components.code import show_code
from app.components.lesson import concepts_here
from app.components.life_page import about, again, choose_life, show_live, told
from app.components.page import page_header, user_errors
from app.language import _, mark

TITLE = "Prompting"
ICON = ":material/chat:"
ORDER = 30
PARTS = {"ask": mark("Ask it"), "shots": mark("More examples"), "twin": mark("With and without smeared keys")}


def lab() -> None:
    run = choose_life()
    if run is None:
        return
    part = choice(st.pills, _("Part"), "part", {name: _(words) for name, words in PARTS.items()}, required=True,
                  label_visibility="collapsed")  # fmt: skip
    with user_errors():
        if part == "ask":
            parts.editor(run)
        elif part == "twin":
            parts.with_another(run, told(run))
        else:
            again(run, ["zero-shot", "few-shot"], _("Measure again"), "prompting")
            show_live(run, parts.show_shots)


page_header(
    _("Prompting"),
    _("Tell the model what you want, by a task word or by examples, and change nothing in it. How many examples does "
      "it need, and what if the pairs are new to it?"),
)  # fmt: skip
with user_errors():
    lab()
about(["prompting", "zero-shot-learning", "few-shot-learning"])
concepts_here(["prompting", "zero-shot-learning", "few-shot-learning", "attention", "large-language-model"])
show_code("core.language.skills:few_shot", "core.language.world:prompts", "core.language.model:Attention")
