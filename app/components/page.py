"""How every page begins, and how it says what went wrong."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from app.language import explain
from core.errors import UserError


def page_header(title: str, lead: str) -> None:
    """The page's heading and the one sentence that says what to do here, both already translated."""
    st.title(title, anchor=False)
    st.markdown(lead)


class HintError(UserError):
    """What is still to be done before something can be shown; nothing is wrong."""


@contextmanager
def user_errors() -> Iterator[None]:
    """Show a `UserError` raised inside as a sentence on the page; the rest of the page goes on."""
    try:
        yield
    except UserError as error:
        show_error(error)


def show_error(error: UserError) -> None:
    """What is wrong, or still to be done, as a sentence."""
    if isinstance(error, HintError):
        st.info(explain(error), icon=":material/info:")
        return
    st.error(explain(error), icon=":material/error:")
