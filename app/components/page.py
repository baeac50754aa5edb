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


@contextmanager
def user_errors() -> Iterator[None]:
    """Show a `UserError` raised inside as a sentence on the page; the rest of the page goes on."""
    try:
        yield
    except UserError as error:
        show_error(error)


def show_error(error: UserError) -> None:
    """What is wrong, as a sentence."""
    st.error(explain(error), icon=":material/error:")
