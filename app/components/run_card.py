"""One run of the list: open, stop, resume, rename, delete, take home; and the filter of the list."""

import streamlit as st

from app.components.page import user_errors
from app.components.run_buttons import run_buttons
from app.components.run_files import downloads
from app.components.text_source import told
from app.components.who import me
from app.language import _
from app.navigation import page
from core import people
from core.language.recipe import LanguageRecipe
from core.language.text_recipe import TextRecipe
from core.runs import store
from core.runs.store import LONGEST_NAME, Run

PAGES = {LanguageRecipe.task: "pipeline", TextRecipe.task: "pre-training"}  # where a run is shown


def described(run: Run) -> tuple[str, str]:
    """What a run learns, and what learns it."""
    values = run.recipe.to_mapping()
    if isinstance(run.recipe, TextRecipe):
        return told(run.recipe.source), _("language model")
    return values.get("dataset", _("word world")), values.get("model", _("language model"))


def filtered(runs: list[Run], states: dict[str, str]) -> list[Run]:
    """The runs whose name holds the words looked for, and whose state is among those chosen."""
    left, right = st.columns(2)
    with left:
        words = st.text_input(_("Find a run by its name"), key="name", bind="query-params", max_chars=LONGEST_NAME)
    with right:
        options = list(states)
        shown = st.pills(_("State"), options, selection_mode="multi", format_func=lambda s: states[s], key="states")
    named = [run for run in runs if (words or "").lower() in run.name.lower()]
    return [run for run in named if not shown or run.state in shown]


def run_card(run: Run, state: str) -> None:
    with st.container(border=True), user_errors():
        mine = store.may_change(run, me())
        st.text(" · ".join(filter(None, (run.name, state, people.name_of(run.owner)))))
        with st.container(horizontal=True):
            place = page(PAGES.get(run.recipe.task, "train"))
            st.page_link(place, label=_("Open"), query_params={"run": run.id}, icon=":material/open_in_new:")
            run_buttons(run)
            if mine:
                _change(run)
        if not mine:
            st.caption(_("Only whoever began this run, and the teacher, can stop, rename or delete it."))
        downloads(run)


def _change(run: Run) -> None:
    with st.popover(_("Rename")), user_errors():
        name = st.text_input(_("New name"), run.name, key=f"name-{run.id}", max_chars=LONGEST_NAME)
        if st.button(_("Rename this run"), key=f"rename-{run.id}"):
            store.rename(run.id, name, me())
            st.rerun()
    with st.popover(_("Delete")):
        st.markdown(_("Its curves and weights are lost for everybody."))
        if st.button(_("Delete this run"), key=f"delete-{run.id}"):
            store.delete(run.id, me())
            st.rerun()
