"""The article's defects as programs that can be run: the code, the error it really gives, and the remedy."""

import streamlit as st

from app.components.reading import show_text
from app.language import _, current_language
from content.article import Article, Snippet
from core.sandbox import SnippetResult, run_snippet

TIMEOUT_S = 30.0
PROGRAM_TIMEOUT_S = 120.0


def show_snippet(snippet: Snippet, place: str) -> None:
    """A defect: what is wrong, a short program with it, what that program gives, what to write instead."""
    show_text(snippet.wrong[current_language()])
    st.code(snippet.code.strip(), language="python")
    _run_button(snippet.code, f"run-{place}-{snippet.id}", TIMEOUT_S)
    st.markdown(_("Instead:"))
    st.code(snippet.instead.strip(), language="python")


def show_program(article: Article) -> None:
    """The whole program as it should be, to be read and run."""
    st.code(article.corrected, language="python")
    st.caption(_("Here it trains on the digits that come with the install: five epochs."))
    _run_button(article.corrected, "run-corrected", PROGRAM_TIMEOUT_S)


@st.fragment
def _run_button(code: str, key: str, timeout: float) -> None:
    """Runs in a process of its own when pressed; a fragment, so that the rest of the page stays usable."""
    if st.button(_("Run"), icon=":material/play_arrow:", key=key):
        with st.spinner(_("Running in a process of its own…")):
            st.session_state[f"result-{key}"] = _result(code, timeout)
    result = st.session_state.get(f"result-{key}")
    if result is not None:
        _show(result)


@st.cache_data(ttl=60, show_spinner=False, max_entries=20)
def _result(code: str, timeout: float) -> SnippetResult:
    """One run serves all who press within a minute. Only code of the content comes here."""
    return run_snippet(code, timeout=timeout)


def _show(result: SnippetResult) -> None:
    if result["stdout"].strip():
        st.code(result["stdout"].rstrip(), language=None)
    if result["error"] is not None:
        st.code(result["stderr"].rstrip() or result["error"], language=None)
    st.caption(
        _("Ended with code {code} after {seconds:.1f} s.").format(
            code=result["exit_code"], seconds=result["seconds"]
        )
    )
