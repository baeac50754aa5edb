"""Which text: the word world, stories made here, one's own, or what the class has written. Each is in the link."""

import hashlib

import streamlit as st

from app.components.address import choice, number
from app.components.page import user_errors
from app.components.who import me
from app.language import _, _n, current_language, explain, mark
from core.errors import UserError
from core.language import sentences, texts
from core.language.stories import MOST_STORIES

SOURCES = {
    "stories": mark("Stories"),
    "own": mark("Your own text"),
    "class": mark("The class's sentences"),
    "world": mark("The word world"),
}
WORLD = "world"
MOST_PASTED = 200_000  # characters; more is a file
_ENCODING = "text-encoding"


def choose_source() -> str | None:
    """The source of a text, as `core.language.texts` names it, or ``world``; None while there is none yet."""
    kinds = {name: _(words) for name, words in SOURCES.items()}
    kind = choice(st.segmented_control, _("Where the text comes from"), "from", kinds, required=True)
    match kind:
        case "stories":
            return _stories()
        case "own":
            return _own()
        case "class":
            return _class()
    return WORLD


def told(source: str) -> str:
    """A source in words."""
    kind, _colon, rest = source.partition(":")
    if kind != "stories":
        return _("a text handed in")
    language, count, _seed = rest.split(":")
    words = _("{count} stories in Chinese") if language == "zh" else _("{count} stories in English")
    return words.format(count=count)


def _stories() -> str:
    with st.container(horizontal=True):
        names = {"en": "English", "zh": "中文"}
        both = {language: names[language] for language in sorted(names, key=lambda name: name != current_language())}
        language = choice(
            st.segmented_control, _("Language of the stories"), "stories", both, required=True, width="content"
        )
        count = int(number(_("Stories"), "count", 4000, 500, MOST_STORIES, step=500, width=280))
        seed = int(number(_("Seed"), "seed", 0, 0, 99, step=1, width=200))
    return f"stories:{language}:{count}:{seed}"


def _own() -> str | None:
    file = st.file_uploader(
        _("A text file of up to {megabytes} MB").format(megabytes=texts.MOST_BYTES // 10**6), key="text-upload",
        max_upload_size=texts.MOST_BYTES // 10**6,
    )  # fmt: skip
    with st.form("paste", border=False):
        pasted = st.text_area(_("Or paste a text"), key="pasted", max_chars=MOST_PASTED, height=120)
        taken = st.form_submit_button(_("Take this text"))
    with user_errors():
        if taken:
            _take(texts.keep(pasted), "")
        if file is not None:
            data = file.getvalue()
            digest = hashlib.sha256(data).hexdigest()
            if st.session_state.get("taken-text") != digest:
                st.session_state["taken-text"] = digest
                text, encoding = texts.decoded(data)
                _take(texts.keep(text), encoding)
    if st.session_state.get(_ENCODING):
        st.caption(_("Read as {encoding}.").format(encoding=st.session_state[_ENCODING]))
    return _linked()


def _class() -> str | None:
    writer = me().id
    with st.form("sentence", clear_on_submit=True, border=False):
        typed = st.text_input(_("Your sentence"), key="sentence", max_chars=sentences.MOST_LETTERS)
        if st.form_submit_button(_("Add it")):
            with user_errors():
                sentences.add(writer, typed)
    for place, mine in enumerate(sentences.own(writer)):
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button(_("Take back"), key=f"back-{place}", type="tertiary", icon=":material/undo:"):
                sentences.take_back(writer, mine)
                st.rerun()
            st.text(mine)
    everything, people = sentences.written()
    letters = sum(len(text) + 1 for text in everything)
    with st.container(horizontal=True):
        st.metric(_("Sentences"), len(everything))
        st.metric(_("Writers"), people)
        st.metric(_("Characters"), f"{letters:,}")
    if everything:
        st.dataframe({_("What the class has written"): everything[::-1]}, hide_index=True, height=180)
    missing = texts.FEWEST_CHARACTERS - letters
    if missing > 0:
        st.info(
            _n("{n} more character is needed to learn from.", "{n} more characters are needed to learn from.", missing)
        )
    elif st.button(_("Make a text of these sentences"), icon=":material/inventory_2:", key="make-text"):
        with user_errors():
            _take(texts.keep(sentences.as_text()), "")
    return _linked()


def _linked() -> str | None:
    """The text that the link names, if it is still there."""
    source = st.query_params.get("text")
    if source is None:
        return None
    try:
        texts.load(source)
    except UserError as error:
        st.error(explain(error), icon=":material/error:")
        return None
    return source


def _take(source: str, encoding: str) -> None:
    st.query_params["text"] = source
    st.session_state[_ENCODING] = encoding
