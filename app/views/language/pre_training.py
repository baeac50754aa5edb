"""Pre-training: a model learns to go on with a text, and one watches it write."""


import streamlit as st

from app.components import text_form, text_run
from app.components.code import show_code
from app.components.lesson import concepts_here
from app.components.page import page_header, user_errors
from app.components.scaling import strip
from app.components.who import me
from app.language import _
from core.runs import store

TITLE = "Pre-training"
ICON = ":material/fitness_center:"
ORDER = 5

page_header(
    _("Pre-training"),
    _("A transformer reads a text and learns one thing: what comes next. Watch its loss fall below guessing, and its "
      "writing turn from letters into words into sentences."),
)  # fmt: skip
owner = me().id
recipe = None
with user_errors():
    recipe = text_form.recipe()
    if st.button(_("Train"), type="primary", icon=":material/play_arrow:", key="train-text"):
        st.query_params["run"] = store.submit(recipe, owner=owner)
with user_errors():
    if "run" in st.query_params:
        text_run.watch(st.query_params["run"])
strip(recipe, owner)
concepts_here(["pre-training", "self-supervised-learning", "language-model", "cross-entropy", "text-generation"])
show_code("core.language.text:TextTask", "core.language.model:LanguageModel", "core.training.loop:Trainer")
