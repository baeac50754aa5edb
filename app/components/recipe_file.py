"""A recipe as a JSON file, down and up."""

import hashlib

import streamlit as st

from app.components import recipe_form
from app.components.page import user_errors
from app.language import _
from core.errors import UserError
from core.vision.recipe import PictureRecipe

MAX_BYTES = 100_000


@st.fragment
def recipe_file(recipe: PictureRecipe) -> None:
    """A button that saves the recipe and a place to drop one; a wrong file is answered with what is wrong in it."""
    panel = st.expander(_("The recipe as a file"), key="recipe-file", on_change="rerun")
    with panel:
        st.download_button(_("Save the recipe"), recipe.to_json(), "recipe.json", "application/json", on_click="ignore")
        with user_errors():
            _load()
        if panel.open:  # what colours code is a large script, and a closed panel would make every visitor load it
            st.code(recipe.to_json(), language="json")


def _load() -> None:
    file = st.file_uploader(_("Load a recipe"), type="json", max_upload_size=1, key="recipe-upload")
    if file is None:
        return
    data = file.getvalue()
    digest = hashlib.sha256(data).hexdigest()
    if st.session_state.get("loaded-recipe") == digest:
        return  # already in the form; what was changed since must stay
    if len(data) > MAX_BYTES:
        raise UserError("This file is too large for a recipe.")
    try:
        recipe = PictureRecipe.from_json(data.decode())
    except UnicodeDecodeError:
        raise UserError("This is not a JSON file: {reason}.", reason="UTF-8") from None
    st.session_state["loaded-recipe"] = digest
    recipe_form.fill_next(recipe)
    st.rerun()
