"""The two languages of the interface: the switch, and the translation of every sentence.

English is the source: a sentence's English text is its key in ``locale/<language>/LC_MESSAGES/atlas.mo``.
The chosen language lives in the link (``?lang=zh``), so that it survives navigation, reload and sharing.
"""

import gettext
from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app.text import literal
from core.errors import UserError

LANGUAGES = {"zh": "中文", "en": "English"}
SOURCE_LANGUAGE = "en"
KEY = "lang"  # of the switch's value in the session, and of the parameter in the link

_LOCALE = Path(__file__).parent / "locale"


def _(text: str) -> str:
    """The sentence in the language of the session that asks; fill in ``{fields}`` after translating."""
    return catalogue(current_language()).gettext(text)


def _n(singular: str, plural: str, n: int) -> str:
    """`_` for a sentence whose form depends on a number, which is filled in as ``{n}``."""
    return catalogue(current_language()).ngettext(singular, plural, n).format(n=n)


def mark(text: str) -> str:
    """Mark a sentence for translation where the language is not known yet (a constant); `_` translates it."""
    return text


def explain(error: UserError) -> str:
    """What a person did wrong and how to mend it, in their language, as markdown; what they typed stays text."""
    return _(error.message).format(**{name: _told(value) for name, value in error.values.items()})


def _told(value: object) -> object:
    match value:
        case UserError():
            return explain(value)
        case str() | Path():
            return literal(str(value))
    return value


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """The sentences of one language."""
    if language == SOURCE_LANGUAGE:
        return gettext.NullTranslations()
    return gettext.translation("atlas", _LOCALE, languages=[language])


def current_language() -> str:
    """The language this session shows; outside a session, the source language."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return SOURCE_LANGUAGE
    chosen = st.session_state.get(KEY)
    return chosen if chosen in LANGUAGES else _language_of_browser()


def language_switch() -> None:
    """Show the switch in the page's header, and tell the browser which language the page is in.

    The control is bound to the link, which keeps the choice when the page changes or is loaded again. A binding
    writes a choice as it is labelled, so the labels are the short codes and the style sheet shows the names.
    """
    if KEY not in st.session_state and st.query_params.get(KEY) not in LANGUAGES:
        st.session_state[KEY] = _language_of_browser()
    with st.container(key="language"):
        st.segmented_control(
            "中文 / English",
            list(LANGUAGES),
            key=KEY,
            bind="query-params",
            required=True,
            label_visibility="collapsed",
        )
        st.html(f"<style>{_STYLE}{_upload_style() if current_language() != SOURCE_LANGUAGE else ''}</style>")
        st.html(
            f"<script>{language_script(current_language())}</script>",
            unsafe_allow_javascript=True,
        )


def language_script(language: str) -> str:
    """Tells the browser the language; the content policy knows it by its digest, so every letter counts."""
    return f"document.documentElement.lang = '{language}'"


def _language_of_browser() -> str:
    tag = (st.context.locale or SOURCE_LANGUAGE).split("-")[0].lower()
    return tag if tag in LANGUAGES else SOURCE_LANGUAGE


def _upload_style() -> str:
    """Streamlit writes "Upload" on the button of every file uploader, in English alone: shown is ours."""
    button = "[data-testid=stFileUploaderDropzone] button p"
    return f"{button} {{ font-size: 0 }} {button}::after {{ content: '{_('Upload')}'; font-size: 0.875rem }}"


_NAMES = "".join(
    f".st-key-{KEY} button:nth-of-type({place}) p::after {{ content: '{name}'; font-size: 0.875rem }}"
    for place, name in enumerate(LANGUAGES.values(), start=1)
)
_STYLE = f"""
.stMainBlockContainer {{ padding-top: 4rem }}
.st-key-language {{ position: fixed; top: 0.65rem; right: 4rem; width: auto; z-index: 999991 }}
.st-key-{KEY} button p {{ font-size: 0 }}
{_NAMES}
@media (max-width: 600px) {{ .stHeading h1 {{ font-size: 2.1rem }} }}
"""
