"""The form of a text run. Every field is in the link."""

from typing import Any

import streamlit as st

from app.components.address import choice
from app.components.text_facts import TOKENS
from app.components.text_source import told
from app.language import _, current_language, explain, mark
from app.navigation import page
from core.errors import UserError
from core.language import texts
from core.language.text_recipe import TextRecipe

PRESET = "quick"
STORIES = ("stories:en:4000:0", "stories:zh:4000:0")
FIELDS = {
    "steps": mark("Steps"),
    "layers": mark("Layers"),
    "width": mark("Width"),
    "heads": mark("Heads"),
    "context": mark("Context"),
    "batch_size": mark("Batch size"),
    "learning_rate": mark("Learning rate"),
    "seed": mark("Seed"),
    "smeared_keys": mark("Smeared keys"),
}


def recipe() -> TextRecipe:
    """What the form says. Raises `UserError`."""
    base = TextRecipe.preset(PRESET)
    values: dict[str, Any] = {}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        values["source"] = _source()
        kinds = {kind: _(words) for kind, words in TOKENS.items()}
        values["tokens"] = choice(
            st.segmented_control, _("A token is"), "tokens", kinds, required=True, width="content"
        )
        if values["tokens"] == "bpe":
            values["vocabulary"] = _field("vocabulary", _("Size of the vocabulary"), base)
        values["steps"] = _field("steps", _(FIELDS["steps"]), base)
    with st.expander(_("Size and training"), icon=":material/tune:"), st.container(horizontal=True):
        for name, label in FIELDS.items():
            if name != "steps":
                values[name] = _field(name, _(label), base)
    return TextRecipe.preset(PRESET, **values)


def _source() -> str:
    """Stories, or the text that the link brought here from the page Text."""
    made = sorted(STORIES, key=lambda source: source.split(":")[1] != current_language())
    given = st.query_params.get("source", made[0])
    try:
        texts.load(given)
    except UserError as error:
        st.error(explain(error), icon=":material/error:")
        given = made[0]
    sources = dict.fromkeys((*made, given))
    chosen = choice(st.selectbox, _("Text"), "source", {source: told(source) for source in sources}, width=260)
    st.page_link(page("text"), label=_("Another text"), icon=":material/menu_book:")
    return chosen


def _field(name: str, label: str, base: TextRecipe) -> Any:
    kind, allowed = TextRecipe.settings()[name]
    default = getattr(base, name)
    if kind is bool:
        return st.toggle(label, default, key=name, help=_(allowed.help), bind="query-params")
    number: Any = int if kind is int else float
    return st.number_input(
        label, number(allowed.minimum), number(allowed.maximum), default, key=name, help=_(allowed.help),
        format=None if kind is int else "%g", bind="query-params", width=160,
    )  # fmt: skip
